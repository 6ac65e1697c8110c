"""The declaration of a lab: one YAML file, one typed model."""

from sio_lab.lab.loading import FILE_NAME, LoadedLab, load

__all__ = ["FILE_NAME", "LoadedLab", "load"]
