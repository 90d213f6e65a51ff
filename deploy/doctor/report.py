"""What the doctor found, and the whole examination."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from deploy.settings import Settings


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


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in order, each as soon as it is done. A check that breaks is itself a finding."""
    from deploy.doctor import cluster, machine, places, servers  # noqa: PLC0415 (they import this module's words)

    checks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        machine.examine,
        places.examine,
        servers.examine,
        cluster.examine,
    )
    for check in checks:
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001 (the doctor must finish its round whatever this machine does)
            yield fail(
                check.__module__.rpartition(".")[2],
                f"could not be examined: {type(error).__name__}: {error}",
                "Please report this, with the whole output of `narke doctor --json`.",
            )
