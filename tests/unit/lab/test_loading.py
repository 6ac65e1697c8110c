"""Bad lab files of every kind: what is said, and where."""

import hashlib
import os
import textwrap
from pathlib import Path

import pytest

from sio_lab.errors import LabFileError
from sio_lab.lab import load

ROOT = Path(__file__).parents[3]

GOOD = """\
lab: essai
title: Essai
option: SISR
perimeters:
  users: 10.1.1.0/24
machines:
  poste:
    addresses: {users: 10.1.1.10}
"""


def failure(tmp_path: Path, content: str | bytes) -> LabFileError:
    file = tmp_path / "lab.yml"
    file.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    with pytest.raises(LabFileError) as caught:
        load(file)
    assert caught.value.exit_code == 2
    assert caught.value.where.startswith(str(file))
    return caught.value


def told(error: LabFileError) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.what.en) for problem in error.problems]


def test_folder_or_file(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(GOOD)
    loaded = load(tmp_path)
    assert loaded == load(tmp_path / "lab.yml")
    assert loaded.path == (tmp_path / "lab.yml").resolve()
    assert loaded.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert loaded.lab.perimeters["users"].role == "users"


def test_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab.yml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert load(Path("lab.yml")).path == (tmp_path / "lab.yml").resolve()
    (tmp_path / "lab.yml").write_text("titel: x")
    with pytest.raises(LabFileError) as caught:
        load(Path("lab.yml"))
    assert "\n  lab.yml:1:1: " in caught.value.what.en  # as the user named it


@pytest.mark.parametrize(
    "inventory", sorted((ROOT / "inventories").glob("*/lab.yml")), ids=lambda p: p.parent.name
)
def test_inventories_load(inventory: Path) -> None:
    load(inventory)


def test_missing_file_and_folder_without_lab(tmp_path: Path) -> None:
    with pytest.raises(LabFileError) as caught:
        load(tmp_path / "nulle-part.yml")
    assert caught.value.what.en == "lab file not found"
    assert caught.value.todo and "sio-lab init" in caught.value.todo.fr
    with pytest.raises(LabFileError, match=r"no lab\.yml in this folder"):
        load(tmp_path)
    (tmp_path / "labo.yaml").write_text(GOOD)
    with pytest.raises(LabFileError) as caught:
        load(tmp_path)
    assert caught.value.todo and "labo.yaml" in caught.value.todo.en


def test_not_an_ordinary_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tube")
    with pytest.raises(LabFileError, match="not an ordinary file"):
        load(tmp_path / "tube")
    with pytest.raises(LabFileError, match="cannot be read"):
        load(tmp_path / ("x" * 5000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_right_to_read(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(GOOD)
    (tmp_path / "lab.yml").chmod(0)
    with pytest.raises(LabFileError, match="cannot be read"):
        load(tmp_path)


def test_huge_file(tmp_path: Path) -> None:
    assert "too large" in failure(tmp_path, b"#" * 1_000_001).what.en


@pytest.mark.parametrize("content", ["", "# rien\n", "---\n", "~\n"])
def test_empty_file(tmp_path: Path, content: str) -> None:
    assert failure(tmp_path, content).what.en == "empty lab file"


def test_no_mapping(tmp_path: Path) -> None:
    assert "made of sections" in failure(tmp_path, "- lab\n").what.en


def test_not_utf8(tmp_path: Path) -> None:
    error = failure(tmp_path, "lab: x\ntitle: é\n".encode("latin-1"))
    assert told(error) == [(2, 8, "the file is not UTF-8")]
    assert "UTF-8" in failure(tmp_path, GOOD.encode("utf-16")).what.en


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(tmp_path).lab.title == "Essai"


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("lab: a: b\n", 1, "unexpected ':'"),
        ("lab: x\n\ttitle: y\n", 2, "spaces only"),
        ("lab: x\nmachines: {a: b\n", 3, "must be closed"),
        ("lab: x\ntitle: 'y\n", 3, "never closed"),
        ("lab: *x\n", 1, "alias"),
        ("lab: x\n---\nlab: y\n", 2, "several YAML documents"),
        ("lab: x\ntitle: @y\n", 2, "must be quoted"),
        ("lab: x\n   title: y\n", 2, "unexpected ':'"),
        ("machines:\n  - a\n b: c\n", 3, "indentation"),
        ("lab: x\x07\n", 1, "character not allowed"),
        ("lab: x\ntitle: %y\n", 2, "quoted"),
    ],
)
def test_syntax(tmp_path: Path, content: str, line: int, part: str) -> None:
    ((where, _, what),) = told(failure(tmp_path, content))
    assert (where, part in what) == (line, True), what


def test_nested_without_end(tmp_path: Path) -> None:
    assert "nested" in failure(tmp_path, "a: " + "[\n" * 20_000).what.en


def test_alias_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases" in failure(tmp_path, "\n".join(lines)).what.en


def test_alias_that_holds_itself(tmp_path: Path) -> None:
    assert "hold themselves" in failure(tmp_path, "machines: &m {a: *m}\n").what.en


def test_aliases_and_merges_are_read(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(
        GOOD
        + "  a: &base {memory: 1GiB, addresses: {users: 10.1.1.11}}\n"
        + "  b: {<<: *base, addresses: {users: 10.1.1.12}}\n"
    )
    machine = load(tmp_path).lab.machines["b"]
    assert (machine.memory, str(machine.addresses["users"])) == ("1GiB", "10.1.1.12")


def test_unknown_tag(tmp_path: Path) -> None:
    error = failure(tmp_path, GOOD + "organisation: !!python/object:os.system x\n")
    assert told(error) == [(9, 15, "unknown YAML tag: tag:yaml.org,2002:python/object:os.system")]


def test_all_errors_of_a_file_in_its_order(tmp_path: Path) -> None:
    error = failure(
        tmp_path,
        """\
        lab: essai
        titel: Essai
        option: SISRR
        perimeters:
          users: 10.1.1.1/24
          dmz:
        machines:
          Poste:
            adresses: {users: 10.1.1.10}
          fw:
            memory: 512
            memory: 1GiB
            image: {debian: 13}
            kind: firewal
            addresses: {users: "10.1.1"}
        flows:
          - {from: users, tcp: [http, 0, 70000]}
        """,
    )
    assert told(error) == [
        (1, 1, "required key missing: title"),
        (2, 1, "unknown key: titel"),
        (3, 9, "SISRR: one of SISR, SLAM, both expected here"),
        (5, 10, "10.1.1.1/24: an IPv4 network (172.30.10.0/24) expected here"),
        (6, 7, "'dmz' is empty"),
        (8, 3, "impossible name: Poste"),
        (9, 5, "unknown key: adresses"),
        (11, 13, "512: malformed value"),
        (12, 5, "key 'memory' written twice (first on line 11)"),
        (13, 5, "{…}: a text or a list expected here"),
        (14, 11, "firewal: one of server, firewall, terminal, mobile, network expected here"),
        (15, 24, "10.1.1: an IPv4 address (172.30.10.1) expected here"),
        (17, 5, "required key missing in flows.0: to"),
        (17, 25, "http: a whole number expected here"),
        (17, 31, "0: at least 1"),
        (17, 34, "70000: at most 65535"),
    ]
    todos = {problem.line: problem.todo.en for problem in error.problems if problem.todo}
    assert todos[2] == "did you mean 'title'?"
    assert todos[3] == "did you mean 'SISR'?"
    assert todos[5] == "did you mean 10.1.1.0/24?"
    assert todos[9] == "did you mean 'addresses'?"
    assert todos[11] == "for example 512MiB or 2GiB"
    assert error.where == str(tmp_path / "lab.yml")
    assert f"{error.where}:2:1: clé inconnue : titel (vouliez-vous écrire « title » ?)" in error.what.fr


def test_one_error_stands_alone(tmp_path: Path) -> None:
    error = failure(tmp_path, GOOD.replace("option: SISR", "option: SISRE"))
    assert error.where == f"{tmp_path / 'lab.yml'}:3:9"
    assert error.todo and error.todo.en == "did you mean 'SISR'?"


def test_keys_are_told_where_none_is_near(tmp_path: Path) -> None:
    error = failure(tmp_path, GOOD + "accounts:\n  alice: {name: Alice, shoe_size: 42}\n")
    assert error.where.endswith(":10:24")
    assert error.todo and error.todo.en == "keys accepted here: name, scope, groups"


def test_keys_of_services_are_suggested(tmp_path: Path) -> None:
    error = failure(tmp_path, GOOD + "services:\n  internet_access:\n    log: {machine: poste, paht: /x}\n")
    todos = [
        problem.todo.en for problem in error.problems if problem.what.en == "unknown key: paht" and problem.todo
    ]
    assert todos == ["did you mean 'path'?"]


def test_yaml_1_1_traps_do_not_spring(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(
        """\
lab: no
title: 2026
organisation: 22:22
option: SISR
perimeters: {on: 10.1.1.0/24, users: 10.1.2.0/24}
machines:
  y: {title: 010, roles: [off], addresses: {on: 10.1.1.10}}
  fw: {kind: firewall, addresses: {on: 10.1.1.1, users: 10.1.2.1}}
accounts:
  no: {name: Yes, groups: [1e3, 0x1F, null, ~x]}
flows:
  - {from: on, to: users, tcp: [0443, "80"], icmp: yes}
""".replace("null, ", "")
    )
    lab = load(tmp_path).lab
    assert (lab.lab, lab.title, lab.organisation) == ("no", "2026", "22:22")
    assert (lab.machines["y"].title, lab.machines["y"].roles) == ("010", ["off"])
    assert lab.accounts["no"].groups == ["1e3", "0x1F", "~x"]
    assert (lab.flows[0].tcp, lab.flows[0].icmp) == ([443, 80], True)
