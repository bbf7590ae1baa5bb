"""Several requests on one connection, and upgrades."""
