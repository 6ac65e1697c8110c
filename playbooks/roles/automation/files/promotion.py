#!/usr/bin/env python3
"""Accounts and folders of a class, from a CSV file (login,name,machine): makes what is missing, and nothing else.

    promotion.py promotion.csv           make the group, and an account and a folder for each student
    promotion.py --undo promotion.csv    remove them

Accounts have no password: their owners are given a key. Only members of the group "promotion" are ever removed.
"""

from __future__ import annotations

import argparse
import csv
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

GROUP = "promotion"
HOME = "/srv/promotion"
LOGIN = re.compile(r"[a-z][a-z0-9._-]{0,30}")

# On the machine itself; standard input: a login and a name a line, separated by a tab. Says what it changes.
MAKE = f"""
set -eu
getent group {GROUP} >/dev/null || {{ groupadd {GROUP}; echo "group {GROUP}"; }}
[ -d {HOME} ] || {{ install -d -m 0711 {HOME}; echo "folder {HOME}"; }}
while IFS="$(printf '\\t')" read -r login name; do
    getent passwd "$login" >/dev/null || {{
        useradd --home-dir {HOME}/"$login" --no-create-home --gid {GROUP} --comment "$name" "$login"
        echo "account $login"
    }}
    [ -d {HOME}/"$login" ] || {{
        install -d -m 0700 -o "$login" -g {GROUP} {HOME}/"$login"
        echo "folder $login"
    }}
done
"""
UNDO = f"""
set -eu
group=$(getent group {GROUP} | cut -d: -f3)
[ -n "$group" ] || exit 0
while IFS="$(printf '\\t')" read -r login name; do
    [ "$(getent passwd "$login" | cut -d: -f4)" = "$group" ] || continue
    userdel "$login"
    rm -rf {HOME}/"$login"
    echo "account $login"
done
# Others may be in it: then it stays.
getent passwd | cut -d: -f4 | grep -qx "$group" || {{ groupdel {GROUP}; echo "group {GROUP}"; }}
[ ! -d {HOME} ] || rmdir --ignore-fail-on-non-empty {HOME}
"""


def students(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield machine, login and name of each line of ``file``."""
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if not LOGIN.fullmatch(row["login"]) or not row["name"].isprintable() or ":" in row["name"]:
                sys.exit(f"{file}: unusable line: {row}")
            yield row["machine"], row["login"], row["name"]


def on(machine: str, script: str, lines: list[str]) -> int:
    """Run ``script`` on ``machine``; return its exit status."""
    command = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10"]
    ran = subprocess.run(
        [*command, machine, f"sh -c {shlex.quote(script)}"], input="".join(lines), text=True, check=False
    )
    return ran.returncode


def main() -> int:
    """Run the procedure."""
    parser = argparse.ArgumentParser(description="Accounts and folders of a class.")
    parser.add_argument("--undo", action="store_true", help="remove them")
    parser.add_argument("file", type=Path, help="CSV file: login,name,machine")
    arguments = parser.parse_args()
    lines: dict[str, list[str]] = {}
    for machine, login, name in students(arguments.file):
        lines.setdefault(machine, []).append(f"{login}\t{name}\n")
    script = UNDO if arguments.undo else MAKE
    return max((on(machine, script, each) for machine, each in lines.items()), default=0)


if __name__ == "__main__":
    sys.exit(main())
