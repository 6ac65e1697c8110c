"""Probes ask machines and say what they saw: one module a protocol. They never judge."""
