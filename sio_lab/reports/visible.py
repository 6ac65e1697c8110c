"""Making text from outside harmless to show: nothing in it moves a cursor or turns a line around."""

from __future__ import annotations

import re

# C0 and C1 controls except tab and newline, line and paragraph separators, bidirectional
# marks (CVE-2021-42574), lone surrogates, and what XML 1.0 §2.2 forbids.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


# Plain letters: few fonts have the pictures of U+2400.
_NAMES = {0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x0D: "CR", 0x1B: "ESC", 0x7F: "DEL"}


def visible(text: str) -> str:
    """Return ``text`` with each control character replaced by its name."""
    return _HARMFUL.sub(_named, text.replace("\r\n", "\n"))


def _named(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
        return f"⟨{code - 0xDC00:02X}⟩"
    return f"⟨{_NAMES.get(code, f'U+{code:04X}')}⟩"
