"""Whether somebody wants to be told: addresses are confirmed, and whoever is told can unsubscribe."""
