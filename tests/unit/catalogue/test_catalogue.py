"""The catalogue is whole, well-formed, and in words of both languages."""

from __future__ import annotations

from string import ascii_lowercase

import pytest
import yaml
from pydantic import ValidationError

from sio_lab import catalogue
from sio_lab.catalogue import AtLeast, Catalogue

CATALOGUE = catalogue.load()


def dashes(section: str, count: int) -> list[str]:
    return [f"{section}.{letter}" for letter in ascii_lowercase[:count]]


def test_every_requirement_in_the_order_of_the_annexe():
    assert CATALOGUE.ids() == [
        "0.a",
        *dashes("1.1", 8),
        "1.2",
        *dashes("1.3", 4),
        "2.0",
        *dashes("2.1", 10),
        "2.2",
        *dashes("2.2", 4),
        *dashes("3.1", 5),
        "3.2",
        *dashes("3.2", 4),
        "3.3",
        "3.4",
    ]


def test_dashes_are_the_letters():
    for section, row in CATALOGUE.rows():
        if row.dash is not None:
            assert row.id == f"{section.id}.{ascii_lowercase[row.dash - 1]}"
            assert str(row.dash) in section.place(row).fr


def test_options_and_purposes():
    for section, row in CATALOGUE.rows():
        expected = {"2": ["SISR"], "3": ["SLAM"]}.get(row.id[0], ["SISR", "SLAM"])
        assert section.options == expected
        assert (row.purposes == ["certification"]) == (row.id in ("1.2", "2.0"))


def test_rules():
    rules = {row.id: row.rule for _, row in CATALOGUE.rows() if row.rule != "all"}
    assert rules == {
        "0.a": "informational",
        "2.2": AtLeast(at_least=1, of=dashes("2.2", 4)),
        "3.2": AtLeast(at_least=3, of=dashes("3.2", 4)),
        "3.3": "informational",
    }


@pytest.mark.parametrize("row", [row for _, row in CATALOGUE.rows()], ids=lambda row: row.id)
def test_both_languages_say_something(row):
    for text in (row.wording, row.proof):
        assert text.fr and text.en and text.fr != text.en
        assert "\n" not in text.fr + text.en
    assert len(row.wording.fr) <= 100
    assert row.proof.fr.endswith(".") and row.proof.en.endswith(".")


SECTION = """
version: "1"
sections:
  - id: "1.1"
    title: {fr: a, en: a}
    options: [SISR]
    requirements:
      - {id: 1.1.a, dash: 1, wording: {fr: a, en: a}, proof: {fr: a, en: a}%s}
"""


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (", rule: {at_least: 1, of: [1.1.b]}", "does not exist"),
        (", rule: {at_least: 2, of: [1.1.a]}", "larger"),
        (", rule: most", "rule"),
        (", colour: red", "colour"),
        (", purposes: [fun]", "purposes"),
    ],
)
def test_a_wrong_catalogue_is_refused(more, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Catalogue.model_validate(yaml.safe_load(SECTION % more))


def test_a_requirement_given_twice_is_refused():
    good = yaml.safe_load(SECTION % "")
    good["sections"][0]["requirements"] *= 2
    with pytest.raises(ValidationError, match="twice"):
        Catalogue.model_validate(good)
