"""What billing writes."""
