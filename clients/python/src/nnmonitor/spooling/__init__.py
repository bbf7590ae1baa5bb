"""The spool: a run's records on disk, joined into steps, and thinned at its bound."""
