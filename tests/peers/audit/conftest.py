from __future__ import annotations

from unit_audit import audit, ground, lab, outcomes, sessions

__all__ = ["audit", "ground", "lab", "outcomes", "sessions"]
