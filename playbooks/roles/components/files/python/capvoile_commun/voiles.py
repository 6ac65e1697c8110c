"""Numéros de voile."""

import re


def numero(texte):
    """Rend un numéro de voile sous la forme « FRA 12345 ».

    Raises:
        ValueError: ce n'en est pas un (trois lettres de pays, puis un à six chiffres).
    """
    trouve = re.fullmatch(r"\s*([A-Za-z]{3})[\s-]*([0-9]{1,6})\s*", texte)
    if not trouve:
        raise ValueError(f"numéro de voile incompris : {texte!r}")
    return f"{trouve[1].upper()} {trouve[2]}"
