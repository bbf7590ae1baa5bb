"""Static files: paths and conditional requests."""
