"""A lab file means the same whichever parser reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sio_lab.lab import tree

ROOT = Path(__file__).parents[3]
LABS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "inventories").glob("*/lab.yml"))]


@pytest.mark.parametrize(
    "text",
    [
        *LABS,
        "plain: ~\nquoted: '~'\nblock: |\n  ~\n",
        "a: &one {b: é, c: [1, 2]}\nd:\n  <<: *one\n  b: \U0001f600\n",
        "%YAML 1.3\n---\na: 1\n",  # refused by libyaml
        'a: "\\ud800"\n',
    ],
)
def test_same_values_at_the_same_places(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    fast = tree.parse(text, "lab.yml")
    monkeypatch.setattr(tree, "FAST_LOADER", yaml.SafeLoader)
    assert fast == tree.parse(text, "lab.yml")
    assert fast.values
