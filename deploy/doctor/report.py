"""What the doctor can say of a thing: it is well, it could be better, or it is in the way."""

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    """Narke runs, but not as well or as safely as it could."""
    FAIL = "fail"
    """Narke does not run like this."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. `advice`: what to do; empty when all is well."""

    name: str
    status: Status
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name=name, status=Status.OK, found=found)


def warn(name: str, found: str, advice: str) -> Check:
    """It could be better."""
    return Check(name=name, status=Status.WARN, found=found, advice=advice)


def fail(name: str, found: str, advice: str) -> Check:
    """It cannot work."""
    return Check(name=name, status=Status.FAIL, found=found, advice=advice)
