"""Text shown to users, in the two languages of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Lang = Literal["fr", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in French and in English.

    Both are written side by side in the code, so that neither can be forgotten and a
    reviewer sees that they say the same thing.
    """

    fr: str
    en: str

    def get(self, lang: Lang) -> str:
        """Return the sentence in ``lang``."""
        return self.fr if lang == "fr" else self.en

    @classmethod
    def same(cls, text: str) -> Text:
        """Return a text that reads the same in both languages (names, numbers, raw output)."""
        return cls(text, text)


def lang_of(environment: Mapping[str, str]) -> Lang:
    """Return the language of a locale: French for ``fr*``, English for all others (POSIX order)."""
    for name in ("SIO_LAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"
