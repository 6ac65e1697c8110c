"""The host: what it needs to hold labs, whether it has it, and how it gets it."""
