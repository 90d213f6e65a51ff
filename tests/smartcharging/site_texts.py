"""Texts of site files to test with."""

import pytest

from engine.model.sites import Site
from smartcharging.site_files import BadSiteFile, load

SMALL = """
site: depot
tree:
  grid: main
  limit_a: 63
  children:
    - station: CP-1
      children:
        - evse: 1
"""


def one(text: str) -> Site:
    (found,) = load(text)
    return found.site


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadSiteFile) as raised:
        load(text)
    return [(fault.line, fault.what) for fault in raised.value.faults]


def small(**lines: str) -> str:
    """The small site with lines added at its top."""
    return "\n".join(f"{name}: {value}" for name, value in lines.items()) + SMALL
