"""What a machine is like: services, links, addresses, routes, firewall; and what differs from it later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch

from sio_lab import parallel
from sio_lab.disruption.cuts import Ways
from sio_lab.errors import ProbeError
from sio_lab.lab.model import Lab

State = frozenset[str]
"""One line a fact: ``service apache2.service running``, ``address dmz 172.30.10.31/24``, ``rule …``."""

# Counters and handles say nothing of the rules: nft(8), --stateless.
_COMMAND = """
export LC_ALL=C
exec 2>/dev/null
echo '# service'; systemctl list-units --type=service --state=running,failed --plain --no-legend --no-pager
echo '# link'; ip -br link
echo '# address'; ip -o address
echo '# route'; ip -o route
echo '# rule'; nft -s list ruleset
:
"""
_DEADLINE = 10.0
_AT_ONCE = 8

# Started when somebody asks for them, stopped when nobody does any more.
_ON_DEMAND = ("user@*", "systemd-hostnamed.*", "systemd-localed.*", "systemd-timedated.*", "packagekit.*")
# Sets that packets fill (a ban, a limit of rate) change by themselves.
_SET = re.compile(r"\b(?:set|map|meter) \S+ \{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_FILLED = re.compile(r"\b(?:flags [^;\n]*\b(?:dynamic|timeout)\b|timeout \d)")
_ELEMENTS = re.compile(r"elements = \{[^{}]*\}")


def of(machines: Sequence[str], ways: Ways) -> dict[str, State]:
    """Return the state of each of ``machines``, but of those that do not answer."""

    def ask(name: str) -> State | None:
        try:
            _, said, _ = ways.sessions.session(name).run(_COMMAND, stdin="", deadline=_DEADLINE)
        except ProbeError:
            return None
        return read(said)

    states = parallel.each(ask, machines, workers=_AT_ONCE)
    return {name: state for name, state in zip(machines, states, strict=True) if state is not None}


def concerned(lab: Lab, machine: str) -> list[str]:
    """Return ``machine`` and those that share its work: addresses, or a service."""
    groups = [pair.machines for pair in lab.shared_addresses.values()]
    for capability in type(lab.services).model_fields:
        section = getattr(lab.services, capability)
        groups += [list(getattr(section, field, ())) for field in ("machines", "backends")]
    peers = {name for group in groups if machine in group for name in group}
    return [machine, *sorted(peers - {machine})]


def differences(before: Mapping[str, State], after: Mapping[str, State]) -> list[str]:
    """Return what is no longer as it was, a line each, such as ``lb1: - address dmz 172.30.10.30/32``."""
    found = []
    for name, state in before.items():
        now = after.get(name)
        if now is None:
            found.append(f"{name}: no answer")
            continue
        found += [f"{name}: - {line}" for line in sorted(state - now) if not line.endswith(" failed")]
        found += [f"{name}: + {line}" for line in sorted(now - state) if not line.endswith(" running")]
    return found


def read(output: str) -> State:
    """Return what the command's ``output`` says."""
    sections = dict(_sections(output))
    lines = [f"service {name} {state}" for name, state in _services(sections.get("service", ""))]
    lines += [f"link {words[0].partition('@')[0]} {words[1]}" for words in _words(sections.get("link", ""))]
    lines += [
        f"address {words[1]} {words[3]}"
        for words in _words(sections.get("address", ""))
        # Those that a kernel makes up for a link are not always the same again (RFC 4291 §2.5.6, RFC 8981).
        if len(words) > 3 and "temporary" not in words and not words[3].startswith("fe80:")
    ]
    # A number that the kernel gives to a next hop, another one each time.
    lines += [f"route {re.sub(r'nhid [0-9]+ ', '', line).strip()}" for line in _lines(sections.get("route", ""))]
    return frozenset([*lines, *_rules(sections.get("rule", ""))])


def _sections(output: str) -> Iterator[tuple[str, str]]:
    for section in re.split(r"^# (?=\w+$)", output, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        yield name, text


def _services(text: str) -> Iterator[tuple[str, str]]:
    for words in _words(text):
        if len(words) > 3 and not any(fnmatch(words[0], pattern) for pattern in _ON_DEMAND):
            yield words[0], words[3]


def _rules(text: str) -> Iterator[str]:
    still = _SET.sub(lambda found: _ELEMENTS.sub("", found[0]) if _FILLED.search(found[0]) else found[0], text)
    place, count = "", 0
    for line in map(str.strip, still.splitlines()):
        if line.endswith("{"):
            name = line.removesuffix("{").strip()
            place, count = (name if name.startswith("table") else f"{place.partition('/')[0]}/{name}"), 0
        elif line and line != "}":
            # The order of rules is part of what they say.
            count += 1
            yield f"rule {place} {count} {line}"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words(text: str) -> list[list[str]]:
    return [words for line in _lines(text) if len(words := line.split()) > 1]
