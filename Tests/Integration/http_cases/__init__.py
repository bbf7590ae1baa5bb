"""The table of HTTP cases, a theme a file. `test_http_conformance.py` sends them."""
