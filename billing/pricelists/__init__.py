"""Price lists of others, read into the book."""
