"""Annexe II.E as data (``annexe_ii_e.yml``): what is required, by what rule, and what proves it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sio_lab import files
from sio_lab.catalogue.model import AtLeast, Catalogue, Option, Purpose, Requirement, Section, options_of

__all__ = ["AtLeast", "Catalogue", "Option", "Purpose", "Requirement", "Section", "load", "options_of"]


@cache
def load() -> Catalogue:
    """Return the catalogue that travels with the tool (validated, never changes)."""
    return Catalogue.model_validate(files.own_yaml(Path(__file__).with_name("annexe_ii_e.yml")))
