from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from check_module import check_module
from loopback import LocalSession, machine

from sio_lab.audit.proof import NotSatisfiedError, Proof
from sio_lab.errors import InconclusiveError
from sio_lab.lab.software import Robustness
from sio_lab.probes import canary
from sio_lab.probes.machine import Machine

# What a tool does, in small: it tells of an answer of 5xx.
TOOL = """
for words in plain "o'clock" {long}; do
    code=$(curl -s -o /dev/null -w '%{{http_code}}' "$1$(printf %s "$words" | sed "s/'/%27/")")
    case $code in 5*) echo "DEFECT $code $words" ;; esac
done
exit 3
""".format(long="A" * 1500)


@contextmanager
def kept(removal: str) -> Iterator[None]:
    assert "rm -rf" in removal
    yield


@contextmanager
def running(*, flawed: bool) -> Iterator[canary.Canary]:
    with canary.running(machine(), flawed=flawed, seconds=20, kept=kept) as program:
        yield program


@pytest.fixture(scope="module")
def sound() -> Iterator[str]:
    with running(flawed=False) as program:
        yield program.url


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_flawed_one_fails_on_hostile_words_alone() -> None:
    with running(flawed=True) as program:
        assert ask(program.url + "voile") == (200, ask(program.url + "voile")[1])
        assert ask(program.url + quote("l'ancre"))[0] == 500
        assert ask(program.url + "A" * 1500)[0] == 500
        assert "<b>" in ask(program.url + quote("<b>"))[1]
        seen = program.end()
    assert (seen.requests, seen.hostile) == (5, 2)


@pytest.mark.parametrize(
    "words", ["l'ancre", '"', "A" * 20000, "\0\r\n", "<script>", "../../etc/passwd", "%", "{}"]
)
def test_sound_one_takes_all(sound: str, words: str) -> None:
    status, page = ask(sound + quote(words))
    assert status == 200
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("POST /cherche?q= HTTP/1.1", 405),
        ("BREW /cherche?q= HTTP/1.1", 405),
        ("GET /nowhere HTTP/1.1", 404),
        ("GET /cherche?q=%ff%fe HTTP/1.1", 200),
        ("GET http://[ HTTP/1.1", 400),
        (f"GET /cherche?q={'A' * 70000} HTTP/1.1", 414),
    ],
)
def test_sound_one_never_breaks(sound: str, line: str, status: int) -> None:
    address = urlsplit(sound)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=5) as peer:
        peer.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = peer.recv(4096).decode()
    assert f" {status} " in answer.splitlines()[0]


def tried(tmp_path: Path, tool: str) -> Proof:
    script = tmp_path / "tool"
    script.write_text(tool)
    service = Robustness(product="own", machines=["dev"], run=f"sh {script} {{url}}", defect="^DEFECT ")
    proof = Proof(lambda name, record: Machine(name, LocalSession(), record), {}, {}, tmp_path)
    check_module("slam/test_robustness.py").test_planted_defect_is_found(proof, service)
    return proof


def test_check_of_a_tool_that_tells_right_from_wrong(tmp_path: Path) -> None:
    assert tried(tmp_path, TOOL).sides() == {"positive", "negative"}


def test_check_of_a_tool_that_tells_of_everything(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match="sound"):
        tried(tmp_path, TOOL.replace("5*)", "*)"))


def test_check_of_a_tool_that_finds_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match=r"canary \(3 requests came\)"):
        tried(tmp_path, TOOL.replace("5*)", "9*)"))


def test_check_of_a_tool_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotSatisfiedError, match=r"canary \(0 requests came\)"):
        tried(tmp_path, "exec /nonexistent/tool")


def test_check_of_a_tool_that_asks_nothing(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="0 requests"):
        tried(tmp_path, "echo 'DEFECT of my own'")


def test_check_of_a_tool_that_spares_the_sound_one_its_hostile_words(tmp_path: Path) -> None:
    once = f"[ -e {tmp_path}/done ] && TURN=2; touch {tmp_path}/done; "
    with pytest.raises(InconclusiveError, match="nothing that counts"):
        tried(
            tmp_path, once + TOOL.replace('plain "o\'clock"', 'plain ${TURN:-"o\'clock"}').replace("A" * 1500, "")
        )
