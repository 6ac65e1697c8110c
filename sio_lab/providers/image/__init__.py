"""How the systems of containers are put together."""
