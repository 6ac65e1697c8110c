"""What sections of the lab file have in common.

Modules of models do without ``from __future__ import annotations``: pydantic would compile each annotation again,
in each process.
"""

from collections.abc import Iterator
from typing import Annotated, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

MachineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
AccountName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,30}$")]


class Strict(BaseModel):
    """A section of the lab file: unknown keys are errors, values never change once read.

    Validators are built when first used: the lab's holds all others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def machines_named(self) -> set[str]:
        """Return every machine that the section refers to, servers and clients."""
        return {name for _, name in named(self, MachineName)}


class Service(Strict):
    """What every service declares."""

    product: str = Field(
        description="Product that renders the service, in lower case: openldap, postgresql…", examples=["openldap"]
    )
    machines: list[MachineName] = Field(
        min_length=1, description="Machines that render the service.", examples=[["annuaire"]]
    )


def named(
    section: BaseModel, kind: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield path and value of each name of ``kind`` in ``section``, found by the types of its fields."""
    for field, hint in get_type_hints(type(section), include_extras=True).items():
        if field not in type(section).model_fields:
            continue
        value = getattr(section, field)
        names_it = kind in (hint, *get_args(hint))
        if isinstance(value, str) and names_it:
            yield (*path, field), value
        elif isinstance(value, list | tuple) and names_it:
            yield from (((*path, field, index), name) for index, name in enumerate(value))
        elif isinstance(value, list | tuple):
            for index, inner in enumerate(value):
                if isinstance(inner, BaseModel):
                    yield from named(inner, kind, (*path, field, index))
        elif isinstance(value, BaseModel):
            yield from named(value, kind, (*path, field))
