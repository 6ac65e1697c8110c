"""From machines to services: roles, inventory, secrets, certificates, Ansible, faults."""
