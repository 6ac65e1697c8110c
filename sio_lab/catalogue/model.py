"""A requirement of Annexe II.E as data, and the rule by which it is met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sio_lab.text import Text

Option = Literal["SISR", "SLAM"]
Purpose = Literal["training", "certification"]
RequirementId = Annotated[str, Field(pattern=r"^\d\.[0-9a-z](\.[a-z])?$")]


class Entry(BaseModel):
    """A part of the catalogue: unknown keys are errors, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AtLeast(Entry):
    """Rule of a group: ``at_least`` of its members must be met."""

    at_least: int = Field(ge=1)
    of: list[RequirementId]

    @model_validator(mode="after")
    def _reachable(self) -> AtLeast:
        if self.at_least > len(self.of):
            raise ValueError("at_least is larger than the number of members")
        return self


class Requirement(Entry):
    """One requirement.

    Attributes:
        id: number of the section and letter of the dash: ``1.1.b``.
        dash: rank of its dash in the section, where the section has dashes.
        wording: what is required, in words of our own.
        proof: what proves it, in one sentence.
        rule: ``all`` of its checks; ``informational``: never blocks; or a group's rule.
        own_checks: whether a group has something to prove beside its members.
        purposes: what kinds of labs it applies to.
    """

    id: RequirementId
    dash: int | None = Field(default=None, ge=1)
    wording: Text
    proof: Text
    rule: Literal["all", "informational"] | AtLeast = "all"
    own_checks: bool = False
    purposes: list[Purpose] = ["training", "certification"]

    @property
    def informational(self) -> bool:
        """Whether it is shown without ever blocking."""
        return self.rule == "informational"


class Section(Entry):
    """A section of the annexe."""

    id: str
    title: Text
    options: list[Option] = Field(min_length=1)
    requirements: list[Requirement] = Field(min_length=1)

    def place(self, requirement: Requirement) -> Text:
        """Return where ``requirement`` stands in the legal text."""
        if self.id == "0":
            return Text("Préambule", "Preamble")
        if requirement.dash is None:
            return Text(f"§ {self.id}", f"§ {self.id}")
        return Text(f"§ {self.id}, tiret {requirement.dash}", f"§ {self.id}, dash {requirement.dash}")


class Catalogue(Entry):
    """All requirements, in the order of the annexe."""

    version: str
    sections: list[Section]

    @model_validator(mode="after")
    def _consistent(self) -> Catalogue:
        ids = [row.id for _, row in self.rows()]
        if twice := {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f"requirement given twice: {', '.join(sorted(twice))}")
        if unknown := set(self.groups()) - set(ids):
            raise ValueError(f"group member that does not exist: {', '.join(sorted(unknown))}")
        return self

    def rows(self) -> Iterator[tuple[Section, Requirement]]:
        """Yield each requirement with its section, in the order of the annexe."""
        for section in self.sections:
            for requirement in section.requirements:
                yield section, requirement

    def ids(self) -> list[str]:
        """Return the id of each requirement, in order."""
        return [row.id for _, row in self.rows()]

    def groups(self) -> dict[str, str]:
        """Return, for each member of a group, the id of the group's head (2.2.a → 2.2)."""
        return {
            member: row.id for _, row in self.rows() if isinstance(row.rule, AtLeast) for member in row.rule.of
        }


def options_of(option: str) -> frozenset[Option]:
    """Return the options that a lab's ``option`` stands for."""
    if option == "both":
        return frozenset(("SISR", "SLAM"))
    return frozenset(("SISR",)) if option == "SISR" else frozenset(("SLAM",))
