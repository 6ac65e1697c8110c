"""Labs in system containers, through Incus' REST API.

A lab is an Incus project (``sio-<lab>``) whose instances bear the names of its machines, and one managed bridge
a perimeter. Bridges have no address of the host on them: machines are reached through a unix socket each,
which Incus forwards to their SSH server (docs/decisions/0001).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

from sio_lab import paths
from sio_lab.errors import ProviderError
from sio_lab.lab.model import Lab
from sio_lab.parallel import each
from sio_lab.providers import incus_forward, incus_images, incus_plan, ssh_keys
from sio_lab.providers.base import ImageRecipe, MachineState, Progress, Reporter, SshAccess
from sio_lab.providers.incus_api import Api, Instance, NotFoundError
from sio_lab.providers.incus_plan import POOL, Plan
from sio_lab.text import Text

_SPEC = "user.sio-lab.spec"
_COMPLETE = "user.sio-lab.complete"
_LAB, _PERIMETER = "user.sio-lab.lab", "user.sio-lab.perimeter"
_AT_ONCE = 4  # machines: the daemon and the disk do not go faster with more
_BOOT = 45.0  # seconds for a machine's SSH server to answer
_FORWARDER = 10.0  # seconds for what leads to it to be there


class IncusProvider:
    """System containers; see ``Provider`` for what each method does."""

    def up(self, lab: Lab, recipes: Mapping[str, ImageRecipe], report: Reporter) -> bool:
        """Bring up networks and machines.

        Raises:
            ProviderError: Incus does not answer or refuses, or a machine does not boot.
        """
        api = _api(lab)
        _usable(api)
        changed = _ensure_project(api, lab)
        changed |= any(_ensure_networks(api, lab, report))
        paths.state(lab.lab)
        incus_plan.sockets(lab).mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = ssh_keys.ensure(incus_plan.folder(lab), lab.machines)
        present = api.instances()
        for name in sorted(set(present) - set(lab.machines)):
            _remove(api, name)
            gone = Text("retirée : elle n'est plus déclarée", "removed: no longer declared")
            report(Progress(name, gone, "changed"))
            changed = True

        def make(ready: tuple[str, str]) -> bool:
            name, image = ready
            plan = incus_plan.of_machine(lab, name, image, keys)
            return _ensure_machine(api, lab, plan, present.get(name), report)

        shared = Api(api.socket)  # the default project: images are all labs'
        with closing(incus_images.ready(shared, recipes, report)) as images:
            return any([*each(make, images, workers=_AT_ONCE), changed])

    def down(self, lab: Lab, report: Reporter) -> bool:
        """Remove machines, networks and the lab's project."""
        api = _api(lab)
        names = list(api.instances())
        networks = [name for name, network in api.networks().items() if network.config.get(_LAB) == lab.lab]
        step = Text("retirée", "removed")

        def remove(name: str) -> None:
            report(Progress(name, Text("retrait", "removal"), "running"))
            _remove(api, name)
            report(Progress(name, step, "changed"))

        each(remove, names, workers=_AT_ONCE)
        for name in networks:
            with suppress(NotFoundError):
                api.request("DELETE", f"/1.0/networks/{name}", project="default")
        project = _remove_project(api)
        incus_forward.end(incus_plan.sockets(lab))
        return bool(names or networks or project)

    def status(self, lab: Lab) -> dict[str, MachineState]:
        """Return the state of each declared machine."""
        present = _api(lab).instances()
        return {name: _state(present.get(name)) for name in lab.machines}

    def access(self, lab: Lab) -> dict[str, SshAccess]:
        """Return how to reach each machine that exists."""
        present = _api(lab).instances()
        keys = ssh_keys.load(incus_plan.folder(lab))
        return {
            name: SshAccess(
                machine=name,
                user="root",
                host=name,
                unix_socket=incus_plan.socket_path(lab, name),
                identity_file=keys.identity_file,
                host_key=keys.public[name],
            )
            for name in lab.machines
            if name in present and name in keys.public
        }

    def snapshot(self, lab: Lab, name: str, report: Reporter) -> None:
        """Keep the present state of every machine under ``name``."""
        api = _api(lab)
        present = api.instances()
        step = Text("instantané", "snapshot")

        def take(machine: str) -> None:
            path = f"/1.0/instances/{machine}/snapshots"
            with suppress(NotFoundError):
                api.request("DELETE", f"{path}/{name}")
            api.request("POST", path, {"name": name, "stateful": False})
            report(Progress(machine, step, "changed"))

        each(take, [machine for machine in lab.machines if machine in present], workers=_AT_ONCE)

    def restore(self, lab: Lab, name: str, report: Reporter, machines: Sequence[str]) -> None:
        """Bring ``machines`` back to the snapshot ``name``, running."""
        # Stopped at once first: Incus would shut them down cleanly, only to throw that state away. To stop is to
        # wait, for which no other has to wait.
        api = _api(lab)
        with ThreadPoolExecutor(max_workers=len(machines)) as pool:
            stopped = {machine: pool.submit(_stop, api, machine) for machine in machines}

            def back(machine: str) -> None:
                report(Progress(machine, Text("retour à l'instantané", "back to the snapshot"), "running"))
                stopped[machine].result()
                api.request("PUT", f"/1.0/instances/{machine}", {"restore": name, "stateful": False})
                _start(api, lab, machine)
                report(Progress(machine, Text("état de référence", "reference state"), "changed"))

            each(back, machines, workers=_AT_ONCE)

    def has_snapshot(self, lab: Lab, name: str) -> bool:
        """Return whether every machine has the snapshot ``name``."""
        api = _api(lab)
        return all(each(lambda machine: api.has_snapshot(machine, name), lab.machines, workers=_AT_ONCE))

    def power_off(self, lab: Lab, machine: str) -> None:
        """Take the power from ``machine``: its processes are killed, all at once."""
        _stop(_api(lab), machine)

    def power_on(self, lab: Lab, machine: str, report: Reporter) -> None:
        """Start ``machine`` and wait until its SSH server answers."""
        api = _api(lab)
        report(Progress(machine, Text("démarrage", "start"), "running"))
        if api.instances()[machine].running:
            _wait_for_ssh(lab, machine)
        else:
            _start(api, lab, machine)
        report(Progress(machine, Text("démarrée", "started"), "changed"))


def _api(lab: Lab) -> Api:
    return Api(project=f"sio-{lab.lab}")


def _usable(api: Api) -> None:
    """Make sure that the daemon answers and has our storage pool."""
    try:
        api.request("GET", f"/1.0/storage-pools/{POOL}", project="default")
    except NotFoundError as error:
        raise ProviderError(
            Text(f"Incus n'a pas de réserve de stockage {POOL}", f"Incus has no storage pool {POOL}"),
            todo=Text("sio-lab setup la crée", "sio-lab setup makes it"),
        ) from error


def _ensure_project(api: Api, lab: Lab) -> bool:
    try:
        api.request("GET", f"/1.0/projects/{api.project}", project="default")
    except NotFoundError:
        config = {
            "features.images": "false",  # shared by all labs
            "features.networks": "false",  # bridges only exist in the default project
            "features.profiles": "true",
            "features.storage.volumes": "true",
            _LAB: lab.lab,
        }
        body = {"name": api.project, "description": f"sio-lab: {lab.title}", "config": config}
        api.request("POST", "/1.0/projects", body, project="default")
        return True
    return False


def _remove_project(api: Api) -> bool:
    with suppress(NotFoundError):
        api.request("DELETE", f"/1.0/projects/{api.project}", project="default")
        return True
    return False


def _ensure_networks(api: Api, lab: Lab, report: Reporter) -> list[bool]:
    present = api.networks()

    def make(perimeter: str) -> bool:
        name = incus_plan.bridge(lab.lab, perimeter)
        if name in present:
            if _is_there(api, name):
                return False
            # Its making was cut short: the daemon knows of it, the kernel does not.
            api.request("DELETE", f"/1.0/networks/{name}", project="default")
        body = {
            "name": name,
            "type": "bridge",
            "description": f"sio-lab: {lab.lab}, {perimeter}",
            "config": {
                # No address of the host, so no name server, no gateway and no way to the host either.
                "ipv4.address": "none",
                "ipv6.address": "none",
                "dns.mode": "none",
                _LAB: lab.lab,
                _PERIMETER: perimeter,
            },
        }
        api.request("POST", "/1.0/networks", body, project="default")
        report(Progress(perimeter, Text("réseau", "network"), "changed"))
        return True

    wanted = {incus_plan.bridge(lab.lab, perimeter) for perimeter in lab.perimeters}
    stale = [n for n, network in present.items() if network.config.get(_LAB) == lab.lab and n not in wanted]
    made = each(make, list(lab.perimeters), workers=_AT_ONCE)
    for name in stale:
        with suppress(ProviderError):  # a machine that is about to be made again still uses it: next time
            api.request("DELETE", f"/1.0/networks/{name}", project="default")
    return made


def _is_there(api: Api, network: str) -> bool:
    try:
        api.request("GET", f"/1.0/networks/{network}/state", project="default")
    except ProviderError:
        return False
    return True


def _ensure_machine(api: Api, lab: Lab, plan: Plan, present: Instance | None, report: Reporter) -> bool:
    name, spec = plan.name, plan.spec
    if present and present.config.get(_SPEC) == spec and present.config.get(_COMPLETE) == "true":
        changed = present.config.get("limits.memory") != plan.memory
        if changed:
            api.request("PATCH", f"/1.0/instances/{name}", {"config": {"limits.memory": plan.memory}})
        if not present.running:
            _start(api, lab, name)
            report(Progress(name, Text("démarrée", "started"), "changed"))
            return True
        try:
            _wait_for_ssh(lab, name)
        except ProviderError:
            # Its start was cut short, its forwarder with it: once more, from the beginning.
            _stop(api, name)
            _start(api, lab, name)
            report(Progress(name, Text("redémarrée", "started again"), "changed"))
            return True
        report(Progress(name, Text("machine en place", "machine in place"), "changed" if changed else "unchanged"))
        return changed
    again = present is not None
    report(Progress(name, Text("création", "creation"), "running"))
    if again:
        _remove(api, name)
    body = dict(plan.body)
    body["config"] = {**_strings(body["config"]), _SPEC: spec, "limits.memory": plan.memory}
    api.request("POST", "/1.0/instances", body)
    api.plant(name, plan.files)
    api.request("PATCH", f"/1.0/instances/{name}", {"config": {_COMPLETE: "true"}})
    _start(api, lab, name)
    done = Text("machine refaite", "machine made again") if again else Text("machine créée", "machine made")
    report(Progress(name, done, "changed"))
    return True


def _strings(value: object) -> dict[str, str]:
    return {str(key): str(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def _start(api: Api, lab: Lab, name: str) -> None:
    try:
        _start_once(api, lab, name)
    except ProviderError:
        # Whoever was starting it may have been killed: the daemon went on, and we ended its forwarder.
        _stop(api, name)
        _start_once(api, lab, name)


def _start_once(api: Api, lab: Lab, name: str) -> None:
    incus_forward.end(incus_plan.socket_path(lab, name))
    api.request("PUT", f"/1.0/instances/{name}/state", {"action": "start", "timeout": 60})
    _wait_for_ssh(lab, name)


def _stop(api: Api, name: str) -> None:
    try:
        api.request("PUT", f"/1.0/instances/{name}/state", {"action": "stop", "force": True, "timeout": 30})
    except NotFoundError:
        raise
    except ProviderError as error:
        if "already stopped" not in error.what.en and "isn't running" not in error.what.en:
            raise


def _remove(api: Api, name: str) -> None:
    with suppress(NotFoundError):
        _stop(api, name)
        api.request("DELETE", f"/1.0/instances/{name}")


def _wait_for_ssh(lab: Lab, name: str) -> None:
    """Wait until the machine's SSH server greets; less long where nothing leads to it."""
    start = now = time.monotonic()
    until, forwarded = start + _BOOT, start
    while now < min(until, forwarded + _FORWARDER):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(2)
            peer.connect(str(incus_plan.socket_path(lab, name)))
            forwarded = time.monotonic()
            if peer.recv(4) == b"SSH-":
                return
        time.sleep(0.1)
        now = time.monotonic()
    raise ProviderError(
        Text(
            f"ne répond pas en SSH {now - start:.0f} s après son démarrage",
            f"no answer over SSH {now - start:.0f} s after its start",
        ),
        where=name,
        todo=Text(
            f"voyez incus console --show-log {name} --project sio-{lab.lab} ; puis relancez sio-lab up",
            f"see incus console --show-log {name} --project sio-{lab.lab}; then run sio-lab up again",
        ),
    )


def _state(instance: Instance | None) -> MachineState:
    if instance is None:
        return "absent"
    return "running" if instance.running else "stopped"
