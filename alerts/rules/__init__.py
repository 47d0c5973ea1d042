"""Rules: what an organization wants to be told of, and finding out when that is so."""
