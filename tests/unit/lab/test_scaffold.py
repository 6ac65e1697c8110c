"""The starter lab: valid as written, in both languages, for every option."""

import re
from pathlib import Path
from typing import get_args

import pytest

from sio_lab.errors import UsageError
from sio_lab.lab import load
from sio_lab.lab.model import Option
from sio_lab.lab.scaffold import init
from sio_lab.text import Lang


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("option", get_args(Option))
def test_starter_loads(tmp_path: Path, option: Option, lang: Lang) -> None:
    file = init(option, tmp_path / "Mon Labo n°1", lang)
    lab = load(file).lab
    assert file == tmp_path / "Mon Labo n°1" / "lab.yml"
    assert (lab.option, lab.lab) == (option, "mon-labo-n1")
    assert 6 <= len(lab.machines) <= 8
    assert {"directory", "portal", "dbms", "encryption"} <= lab.services.model_dump(exclude_none=True).keys()
    text = file.read_text()
    assert "{{" not in text
    assert "{%" not in text
    assert ("Labo de départ" in text) == (lang == "fr")
    assert all(len(line) <= 140 for line in text.splitlines() if "$schema" not in line)


def test_every_account_and_machine_serves(tmp_path: Path) -> None:
    lab = load(init("both", tmp_path / "x")).lab
    text = (tmp_path / "x" / "lab.yml").read_text()
    for name in (*lab.machines, *lab.accounts):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_schema_is_referred_to(tmp_path: Path) -> None:
    first = init("SISR", tmp_path / "x").read_text().splitlines()[0]
    assert Path(first.partition("$schema=")[2]).is_file()


@pytest.mark.parametrize(
    ("folder", "name"),
    [("42", "labo"), ("École", "ecole"), ("été 2026", "ete-2026"), ("x" * 40, "x" * 20), ("---", "labo")],
)
def test_name_after_the_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert load(init("SLAM", tmp_path / folder)).lab.lab == name


def test_a_file_may_be_named(tmp_path: Path) -> None:
    assert load(init("SISR", tmp_path / "tp3.yml")).lab.lab == "tp3"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = init("SISR", tmp_path)
    file.write_text("mine")
    with pytest.raises(UsageError) as caught:
        init("SLAM", tmp_path)
    assert caught.value.where == str(file)
    assert caught.value.exit_code == 2
    assert file.read_text() == "mine"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        init("SISR", tmp_path / "file" / "sub")
