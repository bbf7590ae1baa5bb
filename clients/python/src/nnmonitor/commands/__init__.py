"""The subcommands of `nnmonitor`."""
