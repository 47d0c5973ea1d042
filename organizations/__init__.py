"""Organizations, their people, plans and credentials, and the one door that leads into them."""
