"""What the check of terminal deployment reads in answers of installers and in scripts of iPXE."""

from __future__ import annotations

from typing import Any

import pytest
from check_module import check_module


@pytest.fixture(scope="module")
def check() -> Any:
    return check_module("sisr/test_terminal_deployment.py")


HASH = "$6$0123456789abcdef$" + "A" * 86


@pytest.mark.parametrize(
    "answers",
    [
        "d-i passwd/user-password password s3cret",
        "d-i passwd/root-password-again password s3cret",
        "rootpw s3cret",
        "rootpw --plaintext s3cret",
        "    password: s3cret",
        'passwd: "s3cret"',
    ],
)
def test_password_in_clear(check: Any, answers: str) -> None:
    assert check.CLEAR.search(f"# answers\n{answers}\n")


@pytest.mark.parametrize(
    "answers",
    [
        f"d-i passwd/user-password-crypted password {HASH}",
        f"rootpw --iscrypted {HASH}",
        f'    password: "{HASH}"',
        "d-i passwd/username string support",
    ],
)
def test_no_password_in_clear(check: Any, answers: str) -> None:
    assert not check.CLEAR.search(f"# answers\n{answers}\n")


def test_hash_of_a_password(check: Any) -> None:
    assert check.HASHED.search(f"d-i passwd/user-password-crypted password {HASH}\n")
    assert not check.HASHED.search("d-i passwd/user-password-crypted password HASH\n")


def test_what_a_script_loads(check: Any) -> None:
    script = "#!ipxe\nkernel debian/linux auto=true\ninitrd tftp://10.0.0.1/initrd.gz\nboot\n"
    base = "tftp://172.30.30.40/menu/sio-lab.ipxe"
    assert check.named(base, script, "kernel") == ("tftp://172.30.30.40/menu/debian/linux")
    assert check.named(base, script, "initrd") == "tftp://10.0.0.1/initrd.gz"
    assert check.named(base, "#!ipxe\nboot\n", "kernel") == base
