"""Texts that callers may write, bounded.

Control characters are refused: PostgreSQL stores no NUL, and logs stay readable.
"""

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field, StringConstraints

PLAIN = r"^[^\x00-\x1f\x7f]*$"
IDENTITY = r"^[^:\x00-\x1f\x7f]+$"
"""An OCPP identity holds no colon (2.1 part 4 section 3.1.1): it would end the user name of HTTP Basic."""
INTEGER_MAX = 2**31 - 1

Short = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PLAIN)]
Search = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN)]
Note = Annotated[str, StringConstraints(max_length=1000, pattern=PLAIN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PLAIN)]
"""A token's value: 20 characters on 1.6, 36 on 2.0.1, 255 on 2.1."""

Place = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Moment = Annotated[AwareDatetime, Field(description="ISO 8601 with its offset, e.g. 2026-05-01T12:00:00Z.")]

StationName = Annotated[
    str,
    Path(
        min_length=1, max_length=48, pattern=IDENTITY, description="OCPP identity; case matters.", examples=["CP-0001"]
    ),
]
