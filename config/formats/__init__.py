"""How Django writes moments: in the words of the portal."""
