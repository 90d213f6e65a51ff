"""The projection: facts of the journal become rows, exactly once.

`fold` turns entries into changes (pure, shared with the memory twin), `binary` those of volume into bytes for COPY,
`writer` puts all of them into tables, `projector` does it in one transaction with the stream positions.
"""

from storage.projection.entries import Entry, PositionMoved, StreamEntry, Undecodable
from storage.projection.projector import Projector

__all__ = ["Entry", "PositionMoved", "Projector", "StreamEntry", "Undecodable"]
