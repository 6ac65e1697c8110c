"""The structure of the lab file as a JSON Schema, made from the model, and ways to walk through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sio_lab.lab.model import Lab

NETWORK = r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$"

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Section = Mapping[str, Json]


class _LabSchema(GenerateJsonSchema):
    """pydantic's schema, as strict as the model and without the titles made from names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's signature
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        if "patternProperties" in made:
            made["additionalProperties"] = False
        return made


@cache
def schema() -> Section:
    """Return the JSON Schema of the lab file."""
    made = Lab.model_json_schema(by_alias=True, schema_generator=_LabSchema)
    sections = made["$defs"]
    network = sections["Perimeter"]["properties"]["cidr"]
    network["pattern"] = NETWORK
    del network["format"]  # pydantic's own; JSON Schema knows no format of networks
    sections["Perimeter"] = {
        "description": sections["Perimeter"]["description"],
        "anyOf": [network, sections["Perimeter"]],
    }
    made["properties"]["services"]["default"] = {}  # rather than every capability at null
    return cast(
        "Section",
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **made,
            "title": "sio-lab: lab file",
        },
    )


def keys_of(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the model knows in the section at ``path``; none where it is no section."""
    whole = schema()
    here = [whole]
    for step in path:
        here = [inner for section in here for inner in _inside(whole, section, step)]
    return [key for section in here for key in mapping(section.get("properties"))]


def _inside(whole: Section, section: Section, step: str | int) -> Iterator[Section]:
    if isinstance(step, int):
        yield from forms(whole, mapping(section.get("items")))
    else:
        named = mapping(section.get("properties")).get(step)
        others = [*mapping(section.get("patternProperties")).values(), section.get("additionalProperties")]
        yield from forms(whole, mapping(named if named is not None else others[0]))


def forms(whole: Section, section: Section) -> Iterator[Section]:
    """Yield the forms that ``section`` of the schema ``whole`` may take, references followed."""
    reference = section.get("$ref")
    alternatives = section.get("anyOf")
    if isinstance(reference, str):
        yield from forms(whole, mapping(mapping(whole["$defs"])[reference.rsplit("/", 1)[1]]))
    elif isinstance(alternatives, Sequence) and not isinstance(alternatives, str):
        for form in alternatives:
            yield from forms(whole, mapping(form))
    else:
        yield section


def mapping(value: Json) -> Section:
    """Return ``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
