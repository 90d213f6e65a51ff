"""The wire: plans as charging profiles on stations, safely (docs/wire.md).

`SiteWire` is the whole of it for one site. Its parts: what stations can (`capabilities`, `quirks`), what they are told
(`wishes`, `profiles`), what they may hold at the worst (`promises`, `ledger`), what goes out when (`choice`,
`dispatch`), what outcomes and facts mean (`settlement`, `hearing`, `restoring`), and whether they keep to it
(`verification`, `audit`).

Nothing is imported before it is asked for: whoever reads the settings alone, as the command line does, needs no numpy.
"""

from importlib import import_module
from typing import Any

_PLACES = {
    "Ability": "capabilities",
    "AbilityView": "reports",
    "KnownOrder": "restoring",
    "KnownProfile": "restoring",
    "KnownStation": "restoring",
    "Notice": "reports",
    "NoticeKind": "reports",
    "Over": "reports",
    "Refusal": "capabilities",
    "Rung": "capabilities",
    "SiteWire": "site_wire",
    "Sources": "site_wire",
    "Way": "capabilities",
    "WireSettings": "settings",
}


def __getattr__(name: str) -> Any:
    """The parts that others use, each from its own module."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
