"""Where an organization wants to be told."""
