"""How the answers of the billing API are written."""
