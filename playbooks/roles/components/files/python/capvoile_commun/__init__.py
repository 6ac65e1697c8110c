"""Ce que partagent les applications de Cap Voile."""

__version__ = "VERSION"
