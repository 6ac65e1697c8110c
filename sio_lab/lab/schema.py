"""The JSON Schema of the lab file, made from the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from sio_lab.lab.model import Lab

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Section = Mapping[str, Json]


def schema() -> Section:
    """Return the JSON Schema of the lab file."""
    return cast("Section", Lab.model_json_schema(by_alias=True))


def keys_of(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the model knows in the section at ``path``; none where it is no section."""
    whole = schema()
    here = [whole]
    for step in path:
        here = [inner for section in here for inner in _inside(whole, section, step)]
    return [key for section in here for key in _map(section.get("properties"))]


def _inside(whole: Section, section: Section, step: str | int) -> Iterator[Section]:
    if isinstance(step, int):
        inner = section.get("items")
    else:
        inner = _map(section.get("properties")).get(step) or section.get("additionalProperties")
        for by_pattern in _map(section.get("patternProperties")).values():
            inner = inner or by_pattern
    yield from _forms(whole, _map(inner))


def _forms(whole: Section, section: Section) -> Iterator[Section]:
    """Yield the forms that ``section`` may take, references followed."""
    reference = section.get("$ref")
    if isinstance(reference, str):
        yield from _forms(whole, _map(_map(whole["$defs"])[reference.rsplit("/", 1)[1]]))
        return
    forms = section.get("anyOf")
    if isinstance(forms, Sequence) and not isinstance(forms, str):
        for form in forms:
            yield from _forms(whole, _map(form))
        return
    yield section


def _map(value: Json) -> Section:
    return value if isinstance(value, Mapping) else {}
