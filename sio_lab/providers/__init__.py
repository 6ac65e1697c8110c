"""How machines and networks come to exist: one module a provider, behind one interface."""
