"""Sends Ethernet frames from the machine that it runs on, and prints the first answer.

Sent to the machine as the input of ``python3 -IS - INTERFACE SECONDS MATCH FRAME [FRAME]…``: standard library
only, Python 3.9 or later; only root may. It judges nothing. Frames are in hexadecimal. ``MATCH`` says which frame
is an answer: ``OFFSET=HEX[,OFFSET=HEX]…``; with ``-`` none is waited for. Prints the answer in hexadecimal, or
nothing.
"""

from __future__ import annotations

import socket
import sys
import time

_EVERYTHING = 3  # ETH_P_ALL, <linux/if_ether.h>
_LARGEST = 65535


def conditions(match: str) -> list[tuple[int, bytes]]:
    """Return what an answer holds, and where."""
    pairs = [part.partition("=") for part in match.split(",") if part != "-"]
    return [(int(offset), bytes.fromhex(wanted)) for offset, _, wanted in pairs]


def answers(frame: bytes, wanted: list[tuple[int, bytes]]) -> bool:
    """Tell whether ``frame`` holds all that is ``wanted``."""
    return all(frame[offset : offset + len(text)] == text for offset, text in wanted)


def main(interface: str, seconds: float, match: str, frames: list[str]) -> None:
    """Send ``frames``, then wait for the first answer for ``seconds``."""
    wanted = conditions(match)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERYTHING) if wanted else 0) as channel:
        channel.bind((interface, _EVERYTHING if wanted else 0))
        for frame in frames:
            channel.send(bytes.fromhex(frame))
        end = time.monotonic() + seconds
        while wanted and (left := end - time.monotonic()) > 0:
            channel.settimeout(left)
            try:
                frame_seen = channel.recv(_LARGEST)
            except socket.timeout:  # noqa: UP041  # its name until Python 3.9
                return
            if answers(frame_seen, wanted):
                print(frame_seen.hex())  # noqa: T201  # this is how it answers
                return


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:])
