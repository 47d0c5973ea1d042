"""What pages show: each page's figures in one call, by the queries that answer the API. It only reads."""
