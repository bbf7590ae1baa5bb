"""The table of HTTP cases, one topic per file. `test_http_conformance.py` sends them."""
