#!/usr/bin/python3
"""Ansible module: packages, files, and what must follow a change, in one round trip.

A task costs about half a second of processor time whatever it does; this one does the work of many. Unlike
a handler, a command under ``then`` still runs if an earlier run was interrupted between the change and it.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_state
short_description: Packages, files and the commands that must follow their change
options:
  packages:
    description: Debian packages to install where they are missing, without recommended ones.
    type: list
    elements: str
    default: []
  files:
    description: Files to write or remove, in order.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path; folders on the way are made., type: path, required: true}
      content: {description: All of the file; absent to remove it., type: str}
      owner: {description: User., type: str, default: root}
      group: {description: Group., type: str, default: root}
      mode: {description: Permissions in octal., type: str, default: "0644"}
      then: {description: Shell commands to run after a change., type: list, elements: str, default: []}
"""

EXAMPLES = r"""
- name: Web server
  host_state:
    packages: "{{ intranet_packages }}"
    files:
      - path: /etc/nginx/sites-enabled/intranet
        content: "{{ lookup('ansible.builtin.template', 'intranet.conf.j2') }}"
        then: [systemctl enable nginx, systemctl restart nginx]
"""

RETURN = r"""
written: {description: Paths written or removed., type: list, returned: always}
installed: {description: Packages installed., type: list, returned: always}
ran: {description: Commands that were run., type: list, returned: always}
"""

import grp
import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

PENDING = Path("/var/lib/sio-lab/pending")
FILE_OPTIONS = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "no_log": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0644"},
    "then": {"type": "list", "elements": "str", "default": []},
}


def missing(packages):
    """Return those of ``packages`` that are not installed."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *packages],
        capture_output=True,
        text=True,
        check=False,  # 1: some are unknown, that is the question
    )
    here = {line[4:] for line in asked.stdout.splitlines() if line.startswith("ii ")}
    return [name for name in packages if name not in here]


def install(module, packages):
    """Install ``packages``."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    module.run_command(["apt-get", "-q", "update"], check_rc=True, environ_update=quiet)
    module.run_command(
        ["apt-get", "-q", "-y", "--no-install-recommends", "install", *packages],
        check_rc=True,
        environ_update=quiet,
    )


def differs(file):
    """Return whether ``file`` (an element of ``files``) is not yet as it should be."""
    path = Path(file["path"])
    try:
        is_now = path.lstat()
    except FileNotFoundError:
        return file["content"] is not None
    if file["content"] is None:
        return True
    return (
        not stat.S_ISREG(is_now.st_mode)
        or stat.S_IMODE(is_now.st_mode) != int(file["mode"], 8)
        or is_now.st_uid != pwd.getpwnam(file["owner"]).pw_uid
        or is_now.st_gid != grp.getgrnam(file["group"]).gr_gid
        or path.read_bytes() != file["content"].encode()
    )


def write(file):
    """Write or remove ``file`` at once: a reader sees the old one or the new one."""
    path = Path(file["path"])
    if file["content"] is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(file["content"].encode())
            os.fchown(new.fileno(), pwd.getpwnam(file["owner"]).pw_uid, grp.getgrnam(file["group"]).gr_gid)
            os.fchmod(new.fileno(), int(file["mode"], 8))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def mark_of(command):
    """Return the file that stands as long as ``command`` is due."""
    return PENDING / hashlib.sha256(command.encode()).hexdigest()[:16]


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "dict", "default": [], "options": FILE_OPTIONS},
        },
        supports_check_mode=True,
    )
    packages = missing(module.params["packages"]) if module.params["packages"] else []
    if packages and not module.check_mode:
        install(module, packages)
    written = []
    for file in module.params["files"]:
        try:
            if not differs(file):
                continue
            if not module.check_mode:
                for command in file["then"]:
                    PENDING.mkdir(parents=True, exist_ok=True)
                    mark_of(command).touch()
                write(file)
        except (OSError, KeyError, ValueError) as error:
            module.fail_json(msg=f"{file['path']}: {error}", written=written, installed=packages, ran=[])
        written.append(file["path"])
    ran = []
    for command in dict.fromkeys(command for file in module.params["files"] for command in file["then"]):
        if mark_of(command).exists() and not module.check_mode:
            status, out, err = module.run_command(["/bin/sh", "-c", command])
            if status:
                module.fail_json(
                    msg=f"{command}: {(err or out).strip() or f'exit {status}'}",
                    written=written,
                    installed=packages,
                    ran=ran,
                )
            mark_of(command).unlink()
            ran.append(command)
    module.exit_json(changed=bool(packages or written or ran), written=written, installed=packages, ran=ran)


if __name__ == "__main__":
    main()
