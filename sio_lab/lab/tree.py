"""YAML text as plain values, each with its place in the file.

Every scalar stays the text that stands in the file; the model gives it its type. So the traps of
YAML 1.1 (``no`` read as false, ``010`` as 8, ``22:22`` as 1342) cannot spring, and an account may be
called ``no``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import yaml

from sio_lab.errors import LabFileError, Problem
from sio_lab.files import FAST_LOADER
from sio_lab.text import Text

_STANDARD = {
    f"tag:yaml.org,2002:{name}"
    for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value")
}
_MERGE = "tag:yaml.org,2002:merge"
_NULLS = {"", "~", "null", "Null", "NULL"}
_MOST_VALUES = 50_000  # a large lab holds about 2 000; aliases of aliases hold billions

Path = tuple[str | int, ...]
Value = None | str | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, from 1."""

    line: int
    column: int


@dataclass
class Tree:
    """What a YAML file holds.

    Attributes:
        value: the values, as texts, lists and dictionaries.
        keys: place of each key (or list item), by path.
        values: place of each value, by path.
        problems: what is wrong with the YAML itself although it could be read.
    """

    value: Value = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def known(self, path: Iterable[str | int]) -> Path:
        """Return the longest beginning of ``path`` that stands in the file.

        Steps that are no keys are passed over: pydantic adds some, such as the name of a type.
        """
        found: Path = ()
        for step in path:
            if (*found, step) in self.values:
                found = (*found, step)
        return found

    def problem(self, path: Path, what: Text, todo: Text | None = None, *, at_key: bool = False) -> Problem:
        """Return a problem placed where ``path``, or what is known of it, stands.

        Args:
            path: what the problem is about.
            what: what is wrong.
            todo: what to write instead.
            at_key: point at the key rather than at the value (always so for a whole section).
        """
        known = self.known(path)
        value = self.at(known)
        places = self.keys if at_key or isinstance(value, dict | list) else self.values
        place = places.get(known) or self.values.get(known, Place(1, 1))
        return Problem(what, ".".join(map(str, path)), place.line, place.column, todo)

    def at(self, path: Path) -> Value:
        """Return the value at ``path``, which must be ``known``."""
        value = self.value
        for step in path:
            value = value[step]  # type: ignore[index]  # known() only returns paths that exist
        return value


def closest(word: str, words: Iterable[str]) -> Text | None:
    """Return a suggestion of the one of ``words`` that ``word`` resembles, if any."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return Text(f"vouliez-vous écrire « {near[0]} » ?", f"did you mean '{near[0]}'?") if near else None


def parse(text: str, file: str) -> Tree:
    """Return what ``text`` holds.

    Args:
        text: one YAML document.
        file: name of the file, for errors.

    Raises:
        LabFileError: it is no YAML, it holds several documents, or it expands without end.
    """
    try:
        root = _compose(text)
    except yaml.MarkedYAMLError as error:
        raise LabFileError.of(file, [_syntax(error)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = Text(
            f"caractère interdit en YAML : U+{ord(str(error.character)):04X}",
            f"character not allowed in YAML: U+{ord(str(error.character)):04X}",
        )
        raise LabFileError.of(file, [Problem(what, line=line, column=1)]) from error
    except RecursionError as error:
        what = Text("sections emboîtées sans fin", "sections nested without end")
        raise LabFileError.of(file, [Problem(what)]) from error
    tree = Tree()
    if root is not None:
        tree.value = _Builder(tree, file).value(root, ())
        tree.values[()] = tree.keys[()] = _place(root)
    return tree


def _compose(text: str) -> yaml.Node | None:
    # What libyaml refuses, PyYAML's own parser reads again: it takes a little more, and says in words that we know
    # what is wrong.
    with suppress(yaml.YAMLError, UnicodeError, RecursionError):
        return yaml.compose(text, Loader=FAST_LOADER)
    return yaml.compose(text, Loader=yaml.SafeLoader)


class _Builder:
    """Turns YAML nodes into values and notes their places in a tree."""

    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self._open: list[yaml.Node] = []
        self._count = 0

    def value(self, node: yaml.Node, path: Path) -> Value:
        self._count += 1
        if self._count > _MOST_VALUES or node in self._open:
            what = Text(
                "trop de valeurs : des alias YAML (*nom) se répètent ou se contiennent",
                "too many values: YAML aliases (*name) repeat or hold themselves",
            )
            raise LabFileError.of(self._file, [self._problem(node, path, what)])
        self._tree.values[path] = _place(node)
        self._tree.keys.setdefault(path, _place(node))
        if node.tag not in _STANDARD:
            what = Text(f"étiquette YAML inconnue : {node.tag}", f"unknown YAML tag: {node.tag}")
            self._tree.problems.append(self._problem(node, path, what))
        self._open.append(node)
        try:
            return self._collection(node, path)
        finally:
            self._open.pop()

    def _collection(self, node: yaml.Node, path: Path) -> Value:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
        return str(node.value) if quoted or node.value not in _NULLS else None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Value]:
        values: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                inherited = self.value(value, path)
                if isinstance(inherited, dict):
                    merged.update(inherited)
                continue
            if not isinstance(key, yaml.ScalarNode):
                what = Text("une clé est un nom, pas une section", "a key is a name, not a section")
                self._tree.problems.append(self._problem(key, path, what))
                continue
            name = str(key.value)
            if name in values:
                first = self._tree.keys[(*path, name)].line
                what = Text(
                    f"clé « {name} » écrite deux fois (déjà ligne {first})",
                    f"key '{name}' written twice (first on line {first})",
                )
                self._tree.problems.append(self._problem(key, (*path, name), what))
                continue
            self._tree.keys[(*path, name)] = _place(key)
            values[name] = self.value(value, (*path, name))
        self._tree.values[path] = _place(node)
        return {**merged, **values}

    def _problem(self, node: yaml.Node, path: Path, what: Text) -> Problem:
        place = _place(node)
        return Problem(what, ".".join(map(str, path)), place.line, place.column)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


# What PyYAML's scanner, parser and composer say most often, by the beginning of its sentence.
_SYNTAX = {
    "mapping values are not allowed": Text(
        "« : » inattendu : la ligne précédente n'est pas finie, ou un texte qui contient « : » n'est "
        "pas entre guillemets",
        "unexpected ':': the line before is not finished, or a text that holds ': ' is not quoted",
    ),
    "found character '\\t'": Text(
        "tabulation en début de ligne : YAML n'accepte que des espaces",
        "tab at the beginning of a line: YAML takes spaces only",
    ),
    "found character": Text(
        "un texte qui commence par ce caractère doit être entre guillemets",
        "a text that begins with this character must be quoted",
    ),
    "could not find expected ':'": Text("« : » attendu après la clé", "':' expected after the key"),
    "expected <block end>": Text(
        "décalage (indentation) ou ponctuation qui ne correspond à aucune section ouverte",
        "indentation or punctuation that matches no open section",
    ),
    "expected ',' or": Text(
        "virgule ou crochet fermant attendu : { } et [ ] doivent se refermer",
        "comma or closing bracket expected: { } and [ ] must be closed",
    ),
    "found unexpected end of stream": Text("guillemet ouvert, jamais fermé", "quote opened, never closed"),
    "found undefined alias": Text(
        "alias (*nom) sans ancre (&nom) ; une étoile se met entre guillemets",
        "alias (*name) without an anchor (&name); a star must be quoted",
    ),
    "found duplicate anchor": Text("ancre (&nom) définie deux fois", "anchor (&name) defined twice"),
    "but found another document": Text(
        "plusieurs documents YAML (---) dans un fichier : un seul labo par fichier",
        "several YAML documents (---) in one file: one lab a file",
    ),
    "sequence entries are not allowed": Text(
        "« - » inattendu : mettez la liste à la ligne suivante", "unexpected '-': put the list on the next line"
    ),
}


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    said = error.problem or error.context or ""
    what = next(
        (text for start, text in _SYNTAX.items() if said.startswith(start)),
        Text(f"syntaxe YAML : {said}", f"YAML syntax: {said}"),
    )
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(what)
    return Problem(what, line=mark.line + 1, column=mark.column + 1)
