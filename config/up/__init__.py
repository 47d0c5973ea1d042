"""Everything in one terminal: the servers, the migrations, a demo, then web, worker and beat."""
