"""What pydantic finds wrong, in plain words and in both languages."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, cast

from sio_lab.lab.tree import Path, Tree, Value, closest
from sio_lab.text import Text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from sio_lab.errors import Problem

KeysOf = Callable[[Path], list[str]]

# What a value should have been, for errors of type: several of them at one place are joined by "or".
_EXPECTED = {
    "string_type": Text("un texte", "a text"),
    "list_type": Text("une liste", "a list"),
    "tuple_type": Text("une liste", "a list"),
    "dict_type": Text("une section (clé: valeur)", "a section (key: value)"),
    "model_type": Text("une section (clé: valeur)", "a section (key: value)"),
    "model_attributes_type": Text("une section (clé: valeur)", "a section (key: value)"),
    "int_type": Text("un nombre entier", "a whole number"),
    "int_parsing": Text("un nombre entier", "a whole number"),
    "int_from_float": Text("un nombre entier", "a whole number"),
    "float_type": Text("un nombre", "a number"),
    "float_parsing": Text("un nombre", "a number"),
    "bool_type": Text("true ou false", "true or false"),
    "bool_parsing": Text("true ou false", "true or false"),
    "ip_v4_address": Text("une adresse IPv4 (172.30.10.1)", "an IPv4 address (172.30.10.1)"),
    "ip_v4_network": Text("un réseau IPv4 (172.30.10.0/24)", "an IPv4 network (172.30.10.0/24)"),
    "date_type": Text("une date (2026-05-31)", "a date (2026-05-31)"),
    "date_parsing": Text("une date (2026-05-31)", "a date (2026-05-31)"),
    "date_from_datetime_parsing": Text("une date (2026-05-31)", "a date (2026-05-31)"),
    "date_from_datetime_inexact": Text("une date (2026-05-31)", "a date (2026-05-31)"),
}

# What the patterns of the model mean; names all begin alike.
_PATTERNS = {
    "^[a-z][a-z0-9._-]": Text(
        "minuscules sans accent, chiffres, points et tirets, une lettre d'abord",
        "lower-case letters, digits, dots and dashes, a letter first",
    ),
    "^[a-z][": Text(
        "minuscules sans accent, chiffres et tirets, une lettre d'abord",
        "lower-case letters, digits and dashes, a letter first",
    ),
    r"^\d+(MiB|GiB)$": Text("512MiB ou 2GiB par exemple", "for example 512MiB or 2GiB"),
    "^[0-9a-f]{64}$": Text(
        "64 chiffres hexadécimaux, ceux de la commande sha256sum",
        "64 hexadecimal digits, those of the command sha256sum",
    ),
}


def explain(tree: Tree, errors: Iterable[ErrorDetails], keys_of: KeysOf) -> list[Problem]:
    """Return one problem a place of the file.

    Args:
        tree: what the file holds.
        errors: what pydantic found.
        keys_of: keys that the model knows in the section at a path.
    """
    by_place: dict[Path, list[ErrorDetails]] = {}
    for error in errors:
        by_place.setdefault(_subject(tree, error), []).append(error)
    return [_problem(tree, path, found, keys_of) for path, found in by_place.items()]


def _subject(tree: Tree, error: ErrorDetails) -> Path:
    """Return the path that ``error`` is about, as the file writes it."""
    known = tree.known(error["loc"])
    return (*known, error["loc"][-1]) if error["type"] == "missing" else known


def _problem(tree: Tree, path: Path, errors: list[ErrorDetails], keys_of: KeysOf) -> Problem:
    kinds = [error["type"] for error in errors]
    error = errors[0]
    name = path[-1] if path else ""
    if "extra_forbidden" in kinds:
        accepted = keys_of(path[:-1])
        todo = closest(str(name), accepted) or Text(
            f"clés admises ici : {', '.join(accepted)}", f"keys accepted here: {', '.join(accepted)}"
        )
        return tree.problem(path, Text(f"clé inconnue : {name}", f"unknown key: {name}"), todo, at_key=True)
    if error["type"] == "missing":
        return tree.problem(path, *_missing(path))
    if error["loc"][-1] == "[key]":
        what = Text(f"nom impossible : {name}", f"impossible name: {name}")
        return tree.problem(path, what, _pattern(_context(error)), at_key=True)
    value = tree.at(path)
    if value is None:
        return tree.problem(
            path,
            Text(f"« {name} » est vide", f"'{name}' is empty"),
            Text("donnez une valeur, ou retirez la ligne", "give a value, or remove the line"),
        )
    expected = list(dict.fromkeys(_EXPECTED[kind] for kind in kinds if kind in _EXPECTED))
    if expected:
        what = Text(
            f"{_shown(value)} : {' ou '.join(text.fr for text in expected)} attendu ici",
            f"{_shown(value)}: {' or '.join(text.en for text in expected)} expected here",
        )
        return tree.problem(path, what, _network(value) if "ip_v4_network" in kinds else None)
    return tree.problem(path, *_of_value(error, value))


def _missing(path: Path) -> tuple[Text, Text | None]:
    section = ".".join(map(str, path[:-1]))
    name = path[-1]
    if isinstance(name, int):
        return Text(
            f"il manque un élément à la liste {section} (le {name + 1}ᵉ)",
            f"the list {section} lacks an item (number {name + 1})",
        ), None
    where = Text(f" dans {section}", f" in {section}") if section else Text("", "")
    return Text(f"clé obligatoire absente{where.fr} : {name}", f"required key missing{where.en}: {name}"), None


def _of_value(error: ErrorDetails, value: Value) -> tuple[Text, Text | None]:
    context = _context(error)
    kind = error["type"]
    shown = _shown(value)
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        what = Text(
            f"{shown} : une valeur parmi {', '.join(choices)} attendue ici",
            f"{shown}: one of {', '.join(choices)} expected here",
        )
        return what, closest(str(value), choices)
    if kind == "string_pattern_mismatch":
        return Text(f"{shown} : valeur mal formée", f"{shown}: malformed value"), _pattern(context)
    bounds = {
        "greater_than_equal": ("ge", "au moins", "at least"),
        "less_than_equal": ("le", "au plus", "at most"),
        "greater_than": ("gt", "plus de", "more than"),
        "less_than": ("lt", "moins de", "less than"),
        "too_short": ("min_length", "nombre d'éléments : au moins", "number of items: at least"),
        "too_long": ("max_length", "nombre d'éléments : au plus", "number of items: at most"),
        "string_too_short": ("min_length", "nombre de caractères : au moins", "number of characters: at least"),
        "string_too_long": ("max_length", "nombre de caractères : au plus", "number of characters: at most"),
    }
    if kind in bounds:
        key, fr, en = bounds[kind]
        return Text(f"{shown} : {fr} {context[key]}", f"{shown}: {en} {context[key]}"), None
    said = error["msg"].removeprefix("Value error, ")
    return Text(f"{shown} : {said}", f"{shown}: {said}"), None


def _context(error: ErrorDetails) -> Mapping[str, str]:
    return {key: str(value) for key, value in error.get("ctx", {}).items()}


def _pattern(context: Mapping[str, str]) -> Text:
    pattern = context.get("pattern", "")
    meant = (text for start, text in _PATTERNS.items() if pattern.startswith(start))
    return next(meant, Text(f"forme attendue : {pattern}", f"expected form: {pattern}"))


def _network(value: Value) -> Text | None:
    """Suggest the network that a machine's address with a mask belongs to."""
    try:
        network = ipaddress.IPv4Interface(cast("str", value)).network
    except (ValueError, TypeError):
        return None
    return Text(f"vouliez-vous écrire {network} ?", f"did you mean {network}?")


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
