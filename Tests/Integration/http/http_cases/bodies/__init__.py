"""How the length of a request body is stated, and 100-continue."""
