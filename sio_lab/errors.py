"""The family of errors a user can meet. Only ``cli`` turns them into words and exit codes."""

from __future__ import annotations

from sio_lab.text import Text


class SioLabError(Exception):
    """An expected failure: what is wrong, where, and what to do about it.

    Args:
        what: what is wrong.
        where: file and line, machine, or service; empty where it goes without saying.
        todo: what the user can do; ``None`` only where nothing can be done.
    """

    exit_code = 70

    def __init__(self, what: Text, *, where: str = "", todo: Text | None = None) -> None:
        super().__init__(f"{where}: {what.en}" if where else what.en)
        self.what = what
        self.where = where
        self.todo = todo


class UsageError(SioLabError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class LabFileError(SioLabError):
    """The lab file is unreadable, invalid, or declares an impossible lab."""

    exit_code = 2


class SetupError(SioLabError):
    """The host lacks something (a package, a daemon, a right)."""


class ProviderError(SioLabError):
    """Machines or networks could not be made, found, or removed."""


class ProvisionError(SioLabError):
    """A playbook failed."""


class LockedError(SioLabError):
    """Another run holds this lab."""


class ProbeError(SioLabError):
    """A probe could not ask its question. Says nothing of the requirement: ``unverified``."""


class Unreachable(ProbeError):
    """The machine that a probe starts from cannot be reached."""


class ProbeTimeout(ProbeError):
    """No answer within the deadline."""


class ServiceUnavailable(ProbeError):
    """Nothing listens at the peer: it refused the connection, or its network is unreachable."""


class ProtocolError(ProbeError):
    """The peer answered something that the protocol does not allow."""


class IdentityError(ProbeError):
    """A machine is not the one that was provisioned (host key, machine-id)."""
