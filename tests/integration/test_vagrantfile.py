"""The Vagrantfile, read by Vagrant itself. No virtual machine is made."""

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from sio_lab.errors import ProviderError
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.lab.scaffold import init
from sio_lab.providers.vagrant import VagrantProvider

ROOT = Path(__file__).parents[2]
LIBVIRT = Path("/usr/share/rubygems-integration/all/specifications")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("vagrant") is None, reason="Vagrant is not installed"),
]
needs_libvirt = pytest.mark.skipif(
    not list(LIBVIRT.glob("vagrant-libvirt-*.gemspec")), reason="vagrant-libvirt is not installed"
)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Vagrant with VirtualBox's own command stubbed: Vagrant only asks it for its version here."""
    stub = tmp_path / "bin" / "VBoxManage"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\necho 7.0.20r163906\n")
    stub.chmod(0o755)
    changes = {
        "PATH": f"{stub.parent}:{os.environ['PATH']}",
        "VAGRANT_CWD": str(ROOT),
        "VAGRANT_DOTFILE_PATH": str(tmp_path / "dot"),
        "VAGRANT_HOME": str(tmp_path / "home"),
        "VAGRANT_DEFAULT_PROVIDER": "virtualbox",
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


def vagrant(environment: dict[str, str], lab: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["vagrant", *command],
        env=environment | {"SIO_LAB": str(lab)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("provider", ["virtualbox", pytest.param("libvirt", marks=needs_libvirt)])
def test_valid_for(environment: dict[str, str], provider: str, tmp_path: Path) -> None:
    environment["VAGRANT_DEFAULT_PROVIDER"] = provider
    for lab in (ROOT / "inventories" / "sisr", init("both", tmp_path / "depart")):
        validated = vagrant(environment, lab, "validate")
        assert validated.returncode == 0, validated.stdout + validated.stderr
        assert validated.stdout == "Vagrantfile validated successfully.\n"


def test_machines_of_the_lab(environment: dict[str, str], tmp_path: Path) -> None:
    file = init("SLAM", tmp_path / "depart")
    listed = vagrant(environment, file, "status")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    names = [line.split()[0] for line in listed.stdout.splitlines() if "not created (virtualbox)" in line]
    assert names == list(load(file).lab.machines)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No lab at"),
        ("lab: [", "did not find expected node content"),
        ("", "not made of sections"),
        ("lab: on\n", "in quotes"),
        ("lab: x\nmachines: {}\n", "machines: a section"),
        ("lab: x\nmachines: {a: {image: os2/4}}\n", "no box is known for os2/4"),
        ("lab: x\nmachines: {a: {memory: lots}}\n", "512MiB or 2GiB expected"),
        ("lab: x\nmachines: {a: {addresses: {dmz: 10.1.1.1}}}\n", "no such perimeter"),
        (
            "lab: x\nperimeters: {dmz: 10.1.1.0}\nmachines: {a: {addresses: {dmz: 10.1.1.1}}}\n",
            "a network such as",
        ),
        ("lab: x\nperimeters: {dmz: 10.1.1.0/24}\nmachines: {a: {addresses: {dmz: here}}}\n", "is no address"),
    ],
)
def test_unusable_labs(environment: dict[str, str], tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "lab.yml"
    if content is not None:
        file.write_text(content)
    told = vagrant(environment, file, "status")
    assert told.returncode == 1
    assert says in told.stderr
    assert str(file) in told.stderr
    assert "Vagrantfile:" not in told.stderr  # no backtrace


def test_up_asks_sio_lab_first(environment: dict[str, str], tmp_path: Path) -> None:
    """Ruby could read this one; sio-lab refuses it before any machine is made."""
    file = tmp_path / "lab.yml"
    file.write_text("lab: x\ntitle: X\noption: SISR\nmachines: {a: {}}\n")
    told = vagrant(environment, file, "up")
    assert told.returncode == 1
    assert "'a' has neither address nor connection" in told.stderr
    assert "sio-lab could not prepare" in told.stderr


def test_one_lab_a_folder(environment: dict[str, str], tmp_path: Path) -> None:
    first, second = init("SISR", tmp_path / "a"), init("SISR", tmp_path / "b")
    vagrant(environment, first, "status")
    vagrant(environment, first, "status")  # the first one only makes Vagrant's folder
    made = tmp_path / "dot" / "machines" / "fw" / "virtualbox"
    made.mkdir(parents=True, exist_ok=True)
    (made / "id").write_text("1234")
    told = vagrant(environment, second, "validate")
    assert told.returncode == 1
    assert f"holds the machines of another lab: {first}" in told.stderr


def test_provisioning_scripts_are_sound_shell() -> None:
    text = (ROOT / "Vagrantfile").read_text()
    for name in ("PACKAGES", "NETWORK"):
        script = textwrap.dedent(text.split(f"{name} = <<~SHELL\n")[1].split("SHELL\n")[0]).replace("\\\\", "\\")
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


@pytest.fixture
def lab(environment: dict[str, str], tmp_path: Path) -> Lab:
    return load(init("SISR", tmp_path / "depart")).lab


def test_provider_of_a_lab_that_is_not_up(lab: Lab) -> None:
    provider = VagrantProvider()
    assert set(provider.status(lab).values()) == {"absent"}
    assert provider.access(lab) == {}
    assert not provider.has_snapshot(lab, "provisioned")
    assert not provider.down(lab, lambda progress: None)


def test_provider_tells_what_vagrant_says(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAGRANT_DEFAULT_PROVIDER", "hyperv")
    with pytest.raises(ProviderError, match="The provider 'hyperv' that was requested") as caught:
        VagrantProvider().status(lab)
    assert caught.value.todo
