# ruff: noqa: S101
"""Essai fonctionnel : la demande traverse tout le cadre applicatif."""


def test_bonjour(client):
    """L'adresse connue répond, une autre non."""
    assert client.get("/bonjour/Alice").json() == {"message": "Bonjour Alice"}
    assert client.get("/ailleurs").status_code == 404
