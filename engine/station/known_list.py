"""The known list: which local list a station is believed to have, and how facts change that belief."""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from engine.model.local_list import (
    ListState,
    LocalListAsked,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
)

ListFact = LocalListUpdated | LocalListRefused | LocalListChecked | LocalListDoubted | LocalListAsked


class KnownList(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Of one station. `state` None: Narke never kept a list there. `ask_at`: when its version is asked for."""

    version: int = 0
    state: ListState | None = None
    ask_at: datetime | None = None

    def after(self, fact: ListFact) -> "KnownList":
        """After a fact."""
        match fact:
            case LocalListUpdated():
                return KnownList(fact.version, fact.state, self.ask_at)
            case LocalListRefused():
                return replace(self, state=fact.state)
            case LocalListChecked():
                return KnownList(fact.version, fact.state)
            case LocalListDoubted():
                return replace(self, ask_at=fact.ask_at)
            case LocalListAsked():
                return replace(self, ask_at=None)
