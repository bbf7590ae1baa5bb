"""Sends a spool to the server: order, retries, connections, certificates, and the meaning of responses."""
