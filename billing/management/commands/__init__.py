"""What billing does from the command line."""
