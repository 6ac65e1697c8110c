"""A lab to start from: small enough for a laptop, commented, and valid as it is."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sio_lab import paths
from sio_lab.errors import UsageError
from sio_lab.lab.loading import FILE_NAME, load
from sio_lab.lab.model import Option
from sio_lab.lab.schema import FILE as SCHEMA
from sio_lab.text import Lang, Text


def init(option: Option, target: Path, lang: Lang = "fr") -> Path:
    """Write a commented starter lab and return the path of its file.

    Args:
        option: option of the diploma that the lab is for.
        target: folder of the lab (made if need be), or a file whose name ends in .yml or .yaml.
        lang: language of the comments and titles.

    Raises:
        UsageError: the file exists already, or cannot be written.
    """
    file = target if target.suffix in {".yml", ".yaml"} else target / FILE_NAME
    content = render(option, _name(file), lang)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(content)
    except FileExistsError as error:
        raise UsageError(
            Text("ce fichier existe déjà : rien n'a été écrit", "this file exists already: nothing was written"),
            where=str(file),
            todo=Text("donnez un autre dossier", "give another folder"),
        ) from error
    except OSError as error:
        raise UsageError(
            Text(f"écriture impossible : {error.strerror}", f"cannot be written: {error.strerror}"),
            where=str(error.filename or file),
            todo=Text("donnez un dossier où vous pouvez écrire", "give a folder that you may write to"),
        ) from error
    load(file)
    return file


def render(option: Option, name: str, lang: Lang) -> str:
    """Return the text of a starter lab.

    Args:
        option: option of the diploma.
        name: short name of the lab, as ``lab:`` wants it.
        lang: language of the comments.
    """
    environment = Environment(
        loader=FileSystemLoader(paths.data("templates", "lab")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # YAML, made of our own words
    )

    def pick(fr: str, en: str) -> str:
        return Text(fr, en).get(lang)

    return environment.get_template("lab.yml.j2").render(option=option, name=name, schema=SCHEMA, t=pick)


def _name(file: Path) -> str:
    """Return a name for the lab, after its folder (or its file), as the model accepts it."""
    whole = file.absolute()
    words = whole.parent.name if file.name == FILE_NAME else whole.stem
    plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).lstrip("-0123456789")[:20].rstrip("-") or "labo"
