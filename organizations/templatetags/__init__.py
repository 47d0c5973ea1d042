"""What the templates of the operator's admin are written with."""
