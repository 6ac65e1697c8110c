"""For all tests: Ctrl-C reaches what they start, also where this run was started in the background."""

from __future__ import annotations

import signal

# A shell that puts a job in the background has it ignore SIGINT, and whatever it starts inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
