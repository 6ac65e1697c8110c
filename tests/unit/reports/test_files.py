"""Writing reports: whole or not at all, for their owner alone, and with a reason where it cannot be done."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_audit import document

from sio_lab.errors import SetupError, UsageError
from sio_lab.reports import files, formats

ROOT = os.geteuid() == 0


def test_written_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.write(tmp_path / "new" / "folder" / "report.html", "é\udc80")
    finally:
        os.umask(before)
    report = tmp_path / "new" / "folder" / "report.html"
    assert report.read_text() == "é?"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


def test_replaces_a_report_and_its_mode(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("old")
    report.chmod(0o644)
    files.write(report, "new")
    assert report.read_text() == "new"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_replaces_a_link_not_what_it_leads_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "report.html").symlink_to(other)
    files.write(tmp_path / "report.html", "new")
    assert other.read_text() == "precious"
    assert not (tmp_path / "report.html").is_symlink()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_disk_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    (tmp_path / "report.html").write_text("old")

    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SetupError, match="no room left") as caught:
        files.write(tmp_path / "report.html", "new")
    assert caught.value.where == str(tmp_path / "report.html")
    assert caught.value.todo
    assert (tmp_path / "report.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_really_full_disk(small_disk: Path) -> None:
    formats.write(document(), small_disk, "fr", ["junit"])
    before = (small_disk / "junit.xml").read_text()
    with pytest.raises(SetupError, match="no room left"):
        files.write(small_disk / "junit.xml", "x" * 200_000)
    assert (small_disk / "junit.xml").read_text() == before
    assert [path.name for path in small_disk.iterdir()] == ["junit.xml"]


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(UsageError, match="cannot write the report") as caught:
        files.write(tmp_path / "reports" / "report.html", "x")
    assert "--output" in (caught.value.todo.en if caught.value.todo else "")


def test_read_only_folder(tmp_path: Path) -> None:
    """As an ordinary user: root writes everywhere."""
    folder = tmp_path / "reports"
    folder.mkdir(mode=0o555)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sio_lab.errors import UsageError\n"
        "from sio_lab.reports import files\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: files.write(Path(sys.argv[1]), 'x')\n"
        "except UsageError as error: print(error.what.fr)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder / "report.html")], capture_output=True, text=True, check=True
    )
    assert told.stdout == "le rapport ne peut pas être écrit : Permission denied\n"
    assert not list(folder.iterdir())


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "report.html", "x")
    assert not list(tmp_path.iterdir())


def test_every_format(tmp_path: Path) -> None:
    paths = formats.write(document(), tmp_path, "fr")
    assert {name: path.name for name, path in paths.items()} == {
        "html": "report.html",
        "json": "audit.json",
        "junit": "junit.xml",
    }
    assert all(path.stat().st_size for path in paths.values())


def test_chosen_formats(tmp_path: Path) -> None:
    assert list(formats.write(document(), tmp_path, "en", ["json"])) == ["json"]
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]
