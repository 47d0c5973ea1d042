"""Who may ask what: a table for each area of addresses, beside those of the pages and of the API."""
