"""Secrets: made once, private, never changed behind anybody's back."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_lab import changed

from sio_lab.errors import ProvisionError
from sio_lab.lab.model import Lab
from sio_lab.provision import secrets
from sio_lab.provision.secrets import Secrets, Vault


def file_of(state: Path) -> Path:
    return state / "petit" / "secrets.yml"


def test_none_before_the_first_up(small: Lab) -> None:
    assert secrets.load(small) == Secrets()


def test_made_for_every_account_and_role(small: Lab, state: Path) -> None:
    made = secrets.ensure(small)
    assert set(made.passwords) == {"alice", "bruno"}
    assert "dbms" in made.services
    values = [*made.passwords.values(), *made.services.values()]
    assert len(set(values)) == len(values)
    assert all(len(value) == 24 and value.isascii() and value.isalnum() for value in values)
    assert stat.S_IMODE(file_of(state).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(state).parent.stat().st_mode) == 0o700


def test_never_changed(small: Lab, state: Path) -> None:
    first = secrets.ensure(small)
    written = file_of(state).stat().st_mtime_ns
    assert secrets.ensure(small) == first == secrets.load(small)
    assert file_of(state).stat().st_mtime_ns == written


def test_a_new_account_leaves_the_others(small: Lab) -> None:
    first = secrets.ensure(small)
    more = secrets.ensure(changed(accounts={"alice": {"name": "A"}, "chloe": {"name": "C"}}))
    assert more.passwords["alice"] == first.passwords["alice"]
    assert more.passwords["bruno"] == first.passwords["bruno"]  # kept: the account may come back
    assert more.passwords["chloe"] not in first.passwords.values()
    assert more.services == first.services


def test_never_shown(small: Lab) -> None:
    made = secrets.ensure(small)
    assert not [value for value in made.passwords.values() if value in repr(made)]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"- a list",
        b"accounts: [alice]",
        b"accounts: {alice: ''}",
        b"accounts: {alice: 12345}",
        b"services: text",
        b"\xff\xfe\xfa",
        b"accounts: {alice: \x00}",
    ],
)
def test_a_damaged_file_is_not_made_again(small: Lab, state: Path, content: bytes) -> None:
    secrets.ensure(small)
    file_of(state).write_bytes(content)
    for function in (secrets.load, secrets.ensure):
        with pytest.raises(ProvisionError, match="damaged secrets file") as caught:
            function(small)
        assert caught.value.where == str(file_of(state))
        assert caught.value.todo
    assert file_of(state).read_bytes() == content


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A vault made by ansible-vault itself."""
    folder = tmp_path_factory.mktemp("vault")
    password, file = folder / "password", folder / "vault.yml"
    password.write_text("sésame\n")
    file.write_text(yaml.safe_dump({"accounts": {"alice": "from the vault"}, "services": {"smtp": "relay"}}))
    tool = Path(sys.executable).parent / "ansible-vault"
    subprocess.run(
        [tool, "encrypt", "--vault-password-file", password, file], check=True, capture_output=True, cwd=folder
    )
    return file.read_bytes()


@pytest.fixture
def vault(encrypted: bytes, tmp_path: Path) -> Vault:
    (tmp_path / "vault.yml").write_bytes(encrypted)
    (tmp_path / "password").write_text("sésame\n")
    return Vault(tmp_path / "vault.yml", tmp_path / "password")


def test_a_vault_has_the_last_word(small: Lab, vault: Vault) -> None:
    before = secrets.ensure(small)
    after = secrets.ensure(small, secrets.unlock(vault))
    assert after.passwords == {**before.passwords, "alice": "from the vault"}
    assert after.services == {**before.services, "smtp": "relay"}
    assert secrets.load(small) == after


@pytest.mark.parametrize("wrong", ["password", "no password", "empty password", "no vault", "no vault format"])
def test_a_vault_that_cannot_be_read(small: Lab, vault: Vault, tmp_path: Path, wrong: str) -> None:
    if wrong == "password":
        vault.password_file.write_text("wrong")
    elif wrong == "empty password":
        vault.password_file.write_text("")
    elif wrong == "no vault format":
        vault.file.write_text("accounts: {alice: clear}")
    else:
        missing = tmp_path / "missing"
        vault = Vault(vault.file, missing) if wrong == "no password" else Vault(missing, vault.password_file)
    with pytest.raises(ProvisionError, match="vault cannot be read"):
        secrets.ensure(small, secrets.unlock(vault))
    assert secrets.load(small) == Secrets()
