"""Small programs of ours that a machine's own Python runs: standard library only, nothing is left there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from sio_lab.errors import ProtocolError
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

_STARTING = 5.0  # seconds for the interpreter, beyond what the program itself may last
_PYTHON_MISSING = 127
_COMMAND = f"command -v python3 >/dev/null || exit {_PYTHON_MISSING}; exec python3 -IS - {{}}"


def run(machine: Machine, program: ModuleType, arguments: Sequence[str], *, deadline: float) -> str:
    """Run the file of ``program`` on ``machine``; return what it printed. Recording is the caller's.

    Args:
        machine: where it runs.
        program: a module of ours that reads its arguments when it is run; it is sent on the standard input.
        arguments: its arguments, without any secret: every user of the machine can read them.
        deadline: seconds that it may last.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: it lasted longer.
        ProtocolError: it failed: no Python there, no such interface, no right to use it.
    """
    source = Path(str(program.__file__)).read_text(encoding="utf-8")
    status, stdout, stderr = machine.session.run(
        _COMMAND.format(shlex.join(arguments)), stdin=source, deadline=deadline + _STARTING
    )
    if status == _PYTHON_MISSING:
        raise ProtocolError(
            Text("python3 manque", "no python3"),
            where=machine.name,
            todo=Text("installez-le : apt install python3-minimal", "install it: apt install python3-minimal"),
        )
    if status:
        said = (stderr.strip() or f"exit {status}").splitlines()[-1]
        raise ProtocolError(Text(f"l'essai a échoué : {said}", f"the attempt failed: {said}"), where=machine.name)
    return stdout
