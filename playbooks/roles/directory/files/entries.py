"""Bring people, groups and passwords of the directory in line with what is wanted; say "changed" when it had to.

Standard input, in JSON: base, organisation, domain, accounts (as in the lab file), passwords (by account),
admin and reader (passwords). What was added by hand is left alone.
"""

import json
import sys

import ldap
from ldap.dn import escape_dn_chars

MARK = b"sio-lab"  # description of the entries that are made here, and removed when they are no longer wanted
BASES = {"dc": [b"dcObject", b"organization"], "o": [b"organization"], "ou": [b"organizationalUnit"]}


def base(wanted):
    """Return the attributes of the base entry."""
    kind, _, value = wanted["base"].partition(",")[0].partition("=")
    entry = {"objectClass": BASES[kind.lower()], kind: [value.encode()]}
    if kind.lower() == "dc":
        entry["o"] = [wanted["organisation"].encode()]
    return entry


def person(login, account, domain):
    """Return the attributes of an account."""
    name = account["name"].partition(" (")[0]
    return {
        "objectClass": [b"inetOrgPerson"],
        "uid": [login.encode()],
        "cn": [account["name"].encode()],
        "sn": [(name.partition(" ")[2] or name).encode()],
        "mail": [f"{login}@{domain}".encode()],
        "employeeType": [account["scope"].encode()],
        "description": [MARK],
    }


def groups(accounts):
    """Return the members of each group: those of the lab file, and everybody by where they belong."""
    members = {}
    for login, account in accounts.items():
        own = "internes" if account["scope"] == "internal" else "externes"
        for name in {*account["groups"], own}:
            members.setdefault(name, []).append(login)
    return members


def entries(wanted):
    """Return every entry, parents first."""
    root = wanted["base"]
    tree = {root: base(wanted)}
    for name in ("people", "groups"):
        tree[f"ou={name},{root}"] = {"objectClass": [b"organizationalUnit"], "ou": [name.encode()]}
    for name in ("admin", "lecteur"):
        tree[f"cn={name},{root}"] = {
            "objectClass": [b"organizationalRole", b"simpleSecurityObject"],
            "cn": [name.encode()],
        }
    for login, account in wanted["accounts"].items():
        tree[f"uid={login},ou=people,{root}"] = person(login, account, wanted["domain"])
    for name, logins in groups(wanted["accounts"]).items():
        tree[f"cn={escape_dn_chars(name)},ou=groups,{root}"] = {
            "objectClass": [b"groupOfNames"],
            "cn": [name.encode()],
            "member": [f"uid={login},ou=people,{root}".encode() for login in logins],
            "description": [MARK],
        }
    return tree


def existing(directory, root):
    """Return what the directory holds."""
    try:
        return dict(directory.search_s(root, ldap.SCOPE_SUBTREE, "(objectClass=*)"))
    except ldap.NO_SUCH_OBJECT:
        return {}


def settle(directory, root, tree):
    """Make, mend and remove entries; return whether there was anything to do."""
    here = existing(directory, root)
    changed = False
    for dn, attributes in tree.items():
        if dn not in here:
            # A simpleSecurityObject needs a password at once: this hash matches none.
            needs_one = b"simpleSecurityObject" in attributes["objectClass"]
            secret = {"userPassword": [b"{CRYPT}!"]} if needs_one else {}
            directory.add_s(dn, list({**attributes, **secret}.items()))
            changed = True
            continue
        differences = [
            (ldap.MOD_REPLACE, name, values)
            for name, values in attributes.items()
            if set(here[dn].get(name, [])) != set(values)
        ]
        if differences:
            directory.modify_s(dn, differences)
            changed = True
    for dn in set(here) - set(tree):
        if MARK in here[dn].get("description", []):
            directory.delete_s(dn)
            changed = True
    return changed


def opens(dn, password):
    """Return whether ``password`` opens the account ``dn``."""
    visitor = ldap.initialize("ldapi:///")
    try:
        visitor.simple_bind_s(dn, password)
    except ldap.INVALID_CREDENTIALS:
        return False
    finally:
        visitor.unbind_s()
    return True


def main():
    """Run the script."""
    wanted = json.load(sys.stdin)
    root = wanted["base"]
    directory = ldap.initialize("ldapi:///")
    directory.sasl_external_bind_s()
    changed = settle(directory, root, entries(wanted))
    passwords = {f"cn=admin,{root}": wanted["admin"], f"cn=lecteur,{root}": wanted["reader"]}
    for login in wanted["accounts"]:
        passwords[f"uid={login},ou=people,{root}"] = wanted["passwords"][login]
    for dn, password in passwords.items():
        # Set only where it does not open: its salt, and so the entry, would change each time.
        if not opens(dn, password):
            directory.passwd_s(dn, None, password)
            changed = True
    if changed:
        print("changed")


main()
