# ruff: noqa: S101
"""Essai qui ne peut pas passer : l'outil doit le dire."""


def test_faux():
    """Un et un ne font pas trois."""
    assert 1 + 1 == 3
