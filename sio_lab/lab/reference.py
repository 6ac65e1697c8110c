"""The reference of the lab file's keys, written from its schema into ``docs/lab-file.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sio_lab.lab.structure import NETWORK, Json, Section, forms, mapping, schema

MARK = "<!-- Below this line: written by `python -m sio_lab.lab.schema`. -->\n"
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "ipv4": "IPv4 address",
    "ipv4network": "IPv4 network",
    "date": "date",
}


def rendered(page: str) -> str:
    """Return ``page`` with the part below the mark written anew.

    Raises:
        ValueError: the page has no mark.
    """
    start = page.index(MARK) + len(MARK)
    whole = schema()
    lines = ["", "## Top level", "", *_table(whole, whole)]
    for heading, section in _sections(whole):
        lines += [
            "",
            heading,
            "",
            str(section.get("description", "")).replace("``", "`"),
            "",
            *_table(whole, section),
        ]
    return page[:start] + "\n".join(lines) + "\n"


def _sections(whole: Section) -> Iterator[tuple[str, Section]]:
    """Yield heading and schema of each section, in the order of the file, inner ones after theirs."""
    for name, value in mapping(whole["properties"]).items():
        for path, section in _inner(whole, (name,), mapping(value)):
            yield f"{'#' * min(len(path) + 1, 4)} `{'.'.join(path)}`", section


def _inner(whole: Section, path: tuple[str, ...], value: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    for form in forms(whole, value):
        if form.get("type") == "array":
            yield from _inner(whole, (*path[:-1], f"{path[-1]}[]"), mapping(form.get("items")))
            continue
        for inner in (*mapping(form.get("patternProperties")).values(), form.get("additionalProperties")):
            if inner:
                yield from _inner(whole, (*path, "<name>"), mapping(inner))
        if "properties" in form:
            yield path, form
            for name, inner in mapping(form["properties"]).items():
                yield from _inner(whole, (*path, name), mapping(inner))


def _table(whole: Section, section: Section) -> list[str]:
    required = section.get("required")
    needed = set(required) if isinstance(required, Sequence) else set()
    rows = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
    for name, value in mapping(section["properties"]).items():
        key = mapping(value)
        default = "**required**" if name in needed else _code(key.get("default"))
        examples = key.get("examples")
        example = _code(examples[0]) if isinstance(examples, Sequence) else ""
        meaning = str(key.get("description") or _described(whole, key)).replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(whole, key)} | {default} | {meaning} | {example} |")
    return rows


def _described(whole: Section, key: Section) -> str:
    return next((str(form["description"]) for form in forms(whole, key) if "description" in form), "")


def _type(whole: Section, key: Section) -> str:
    return " or ".join(
        dict.fromkeys(_type_of(whole, form) for form in forms(whole, key) if form.get("type") != "null")
    )


def _type_of(whole: Section, form: Section) -> str:
    choices = form.get("enum")
    if isinstance(choices, Sequence):
        return ", ".join(_code(choice) for choice in choices)
    if form.get("type") == "array":
        items = mapping(form.get("items"))
        return f"list of {_type(whole, items)}" if items else "list"
    if form.get("type") == "object":
        maps = (*mapping(form.get("patternProperties")).values(), form.get("additionalProperties"))
        named = mapping(next((inner for inner in maps if inner), None))
        return f"name → {_type(whole, named)}" if named else "section"
    if form.get("pattern") == NETWORK:
        return _TYPES["ipv4network"]
    return _TYPES.get(str(form.get("format", form.get("type"))), str(form.get("type")))


def _code(value: Json) -> str:
    if value in (None, "", {}, []):
        return ""
    text = value if isinstance(value, str) else _flow(value)
    return f"`{text}`".replace("|", "\\|")


def _flow(value: Json) -> str:
    """Return ``value`` as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)
