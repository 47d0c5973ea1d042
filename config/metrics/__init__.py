"""The operator's metrics: what web processes count, and how the parts are, at `/metrics`."""
