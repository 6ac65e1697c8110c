#!/usr/bin/env python3
"""Commandes d'administration de Django (migrate, check…)."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "capvoile_regates.settings")
    execute_from_command_line(sys.argv)
