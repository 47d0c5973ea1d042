"""The commands of organizations."""
