"""Request lines, fields, hosts and versions."""
