"""Declare, provision and prove the technology environment of the BTS SIO diploma (Annexe II.E)."""

__version__ = "0.1.0"
