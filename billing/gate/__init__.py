"""The gate: may a call go ahead? What is asked, what is held for it, and how the answer is given."""
