"""Recorded networks of Tests/Fixtures/health, and how well the health rules judge them."""
