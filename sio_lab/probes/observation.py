"""What a probe hands back: an observation, with the evidence of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeVar

KEPT = 4000  # characters of an answer that evidence keeps; its hash covers the whole
PICTURE = 150_000  # characters of a picture in base64: a report holds them all

Answer = Literal["granted", "refused", "unavailable"]
"""``granted``: the peer did what was asked. ``refused``: the peer understood and said no
(bad password, 403, no right). ``unavailable``: nothing listens there (connection refused, no
route), which is neither: a dead server refuses everybody."""


@dataclass(slots=True)
class Evidence:
    """One exchange: what was sent, to whom, from where, when, and what came back.

    Attributes:
        probe: name of the probe, such as ``ldap.bind``.
        source: machine that the exchange started from.
        target: address or name of the peer.
        sent: what was asked, secrets masked.
        received: what came back, trimmed to ``KEPT`` characters, secrets masked.
        sha256: hash of the whole answer, before trimming and masking.
        at: when it started (UTC).
        duration: how long it took, in seconds.
        attempt: 1 for the first try.
        retry_reason: why there was another try.
        side: what the check took it for; set when it judges.
        picture: what a screen showed then: PNG in base64, of ``PICTURE`` characters at most.
    """

    probe: str
    source: str
    target: str
    sent: str
    received: str
    sha256: str
    at: datetime
    duration: float
    attempt: int = 1
    retry_reason: str = ""
    side: Literal["positive", "negative", "context"] = "context"
    picture: str = ""

    @classmethod
    def of(
        cls, probe: str, *, source: str, target: str, sent: str, received: str, at: datetime, duration: float
    ) -> Evidence:
        """Make the evidence of an exchange that just ended. Masking is done by the recorder."""
        whole = hashlib.sha256(_bytes(received)).hexdigest()
        return cls(probe, source, target, sent, received, whole, at, duration)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a probe saw. Probes return subclasses with typed fields of their own."""

    evidence: Evidence
    answer: Answer
    detail: str = ""

    @property
    def granted(self) -> bool:
        """Whether the peer did what was asked."""
        return self.answer == "granted"


Seen = TypeVar("Seen", bound=Observation)


@dataclass(frozen=True, slots=True)
class Ran(Observation):
    """A command that ended. ``answer`` is ``granted`` when its exit status is 0, else ``refused``."""

    exit_status: int = 0
    stdout: str = ""
    stderr: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def tried_again(ask: Callable[[], Seen], because: str) -> Seen:
    """Return what ``ask`` saw, asked once more where it was not granted; evidence says that it is ``because``."""
    seen = ask()
    if not seen.granted:
        seen = ask()
        seen.evidence.attempt, seen.evidence.retry_reason = 2, because
    return seen


def _bytes(text: str) -> bytes:
    """Return the bytes of ``text``: what was no UTF-8 as it came, lone surrogates of JSON as they are."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
