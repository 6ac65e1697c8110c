"""Files of the state folder: whole or not at all, and private from their first byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sio_lab import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("wanted", [0o600, 0o644])
def test_mode_whatever_the_mask(tmp_path: Path, wanted: int) -> None:
    for mask in (0, 0o077):
        before = os.umask(mask)
        try:
            files.write(tmp_path / "file", b"content", mode=wanted)
        finally:
            os.umask(before)
        assert mode(tmp_path / "file") == wanted


def test_private_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    files.write(tmp_path / "secret", b"content")
    assert seen[0] == 0o600
    assert len(seen) == 2  # the file, then the folder that names it


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(tmp_path / "file", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
