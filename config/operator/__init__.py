"""What the operator sees of the whole, on the admin's first page."""
