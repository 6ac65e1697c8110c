"""Bad command lines and bad lab files: the message, the exit code, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from sio_lab import cli
from sio_lab.errors import ProviderError
from sio_lab.text import Text, lang_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "fr_CA", "LANG": "en_US"}, "fr"),
        ({"SIO_LAB_LANG": "en", "LC_ALL": "fr_FR"}, "en"),
        ({}, "en"),
    ],
)
def test_language_follows_the_locale(environment: dict[str, str], lang: str) -> None:
    assert lang_of(environment) == lang


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--lang", "fr")
    assert code == 2
    assert "Monter le labo" in out


def test_help_in_both_languages_wherever_lang_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Bring the lab up" in run(capsys, "--lang", "en", "up", "--help")[1]
    assert "Monter le labo" in run(capsys, "up", "--help", "--lang", "fr")[1]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["chek"], "commande inconnue : chek (check ?)"),
        (["check", "--onyl"], "option inconnue : --onyl (--only ?)"),
        (["shell", "lab.yml"], "il manque l'argument MACHINE"),
        (["check", "--format", "xml"], "valeur refusée pour --format"),
        (["check", "--checks", "nowhere"], "valeur refusée pour --checks"),
    ],
)
def test_wrong_command_line(capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    code, out, err = run(capsys, "--lang", "fr", *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert "→ voyez :" in err


@pytest.mark.parametrize("command", ["up", "check", "status", "reset", "repair", "down", "report"])
def test_no_lab_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    code, _, err = run(capsys, "--lang", "fr", command)
    assert code == 2
    assert "fichier de labo introuvable" in err
    assert "sio-lab init" in err
    assert not (tmp_path / "state").exists()


def test_broken_lab_file_says_the_line_and_creates_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = (ROOT / "inventories/sisr/lab.yml").read_text()
    (tmp_path / "lab.yml").write_text(text.replace("purpose: training", "purpos: training"))
    code, _, err = run(capsys, "--lang", "fr", "up")
    assert code == 2
    assert "lab.yml:6" in err
    assert "purpose" in err
    assert not (tmp_path / "state").exists()


def test_unknown_machine_for_shell(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--lang", "fr", "shell", str(ROOT / "inventories/sisr"), "bd")
    assert code == 2
    assert "machine inconnue de ce labo : bd" in err
    assert "bdd" in err


def raising(error: BaseException):
    def load(_: Path) -> None:
        raise error

    return load


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrompu"),
        (OSError(28, "No space left on device", "/var/x"), 70, "/var/x : No space left on device"),
        (ZeroDivisionError("oops"), 70, "erreur interne"),
        (
            ProviderError(Text("pas de réseau", "no network"), where="fw", todo=Text("x", "y")),
            70,
            "fw : pas de réseau",
        ),
    ],
)
def test_errors_become_words_and_exit_codes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("sio_lab.lab.load", raising(error))
    seen, _, err = run(capsys, "--lang", "fr", "up")
    assert seen == code
    assert said in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sio_lab.lab.load", raising(ZeroDivisionError()))
    assert "Traceback" in run(capsys, "--debug", "up")[2]
