"""Probes ask machines and say what they saw: one module a protocol. They never judge."""

from sio_lab.startup import without

with without("invoke"):  # paramiko's configuration files could run commands with it: half of its start
    import paramiko  # noqa: F401
