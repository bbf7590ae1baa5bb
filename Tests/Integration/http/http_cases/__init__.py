"""The table of HTTP cases, one topic per module. `test_http_conformance.py` sends them."""
