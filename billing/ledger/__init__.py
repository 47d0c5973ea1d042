"""Credits and quota: granted, burnt down by records, expired or revoked, each movement in double entry."""
