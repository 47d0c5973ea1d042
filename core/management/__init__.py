"""The commands of the shared ground."""
