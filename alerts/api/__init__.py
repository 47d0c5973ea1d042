"""`/alerts` over HTTP."""
