"""Text from outside made harmless."""

from __future__ import annotations

import pytest

from sio_lab.reports.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, accents é, emoji 🛟, tab\t, line\nend", "plain, accents é, emoji 🛟, tab\t, line\nend"),
        ("dos\r\nline", "dos\nline"),
        ("over\rwritten", "over⟨CR⟩written"),
        ("\x1b[2J\x07\x00\x7f\x9b", "⟨ESC⟩[2J⟨BEL⟩⟨NUL⟩⟨DEL⟩⟨U+009B⟩"),
        ("\u202eexe.gnp\u2069", "⟨U+202E⟩exe.gnp⟨U+2069⟩"),
        ("\udc80\udcff\ud800", "⟨80⟩⟨FF⟩⟨U+D800⟩"),
        ("\ufffe\uffff\u2028", "⟨U+FFFE⟩⟨U+FFFF⟩⟨U+2028⟩"),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_twice_is_once() -> None:
    assert visible(visible("\x1b\udc80")) == visible("\x1b\udc80")
