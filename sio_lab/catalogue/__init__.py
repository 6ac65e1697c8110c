"""Annexe II.E as data (``annexe_ii_e.yml``): what is required, by what rule, and what proves it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from sio_lab.catalogue.model import AtLeast, Catalogue, Option, Purpose, Requirement, Section

__all__ = ["AtLeast", "Catalogue", "Option", "Purpose", "Requirement", "Section", "load"]


@cache
def load() -> Catalogue:
    """Return the catalogue that travels with the tool (validated, never changes)."""
    text = files(__package__).joinpath("annexe_ii_e.yml").read_text(encoding="utf-8")
    return Catalogue.model_validate(yaml.safe_load(text))
