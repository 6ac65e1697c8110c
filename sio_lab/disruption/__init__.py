"""Cutting parts of a lab on purpose, measuring what its users see meanwhile, and putting all of it back."""
