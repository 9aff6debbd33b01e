"""Which modules a program loads: Python's own listing of imports, of all the processes it starts."""

import re

_LINE = re.compile(rb"^import time: +\d+ \| +\d+ \| *(\S+)$", re.MULTILINE)

LISTING = {"PYTHONPROFILEIMPORTTIME": "1"}
"""The environment that makes Python list each import on standard error."""

UNWANTED = ("textual", "rich", "keyring", "numpy", "polars")
"""Packages that cost 60 to 140 ms each and that a check has no use for."""


def loaded(errors: bytes) -> set[str]:
    """The modules named in the listing."""
    return {name.decode() for name in _LINE.findall(errors)}


def unwanted(modules: set[str]) -> set[str]:
    """The modules of those packages."""
    return {name for name in modules if name.partition(".")[0] in UNWANTED}
