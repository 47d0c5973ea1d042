"""Django's PostgreSQL backend, which doesn't ask a connection in use whether it is there."""
