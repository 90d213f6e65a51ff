"""Where and with what was measured: machine, load at the start, versions; and whether the machine allows it at all."""

import contextlib
import importlib.metadata
import os
import platform
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("narke", "ray", "redis", "psycopg", "websockets", "uvloop", "orjson", "ocpp", "jsonschema-rs", "msgspec")
FILES_SPARE = 500
"""Open files that a process needs beside its stations' sockets."""
BUSY_SHARE = 0.5
"""Load average per core above which the machine counts as busy."""


class TooFewFiles(Exception):  # noqa: N818 (the state of the machine)
    """A process may not open as many sockets as this run needs; the message says how many it may."""


def allow_files(stations: int) -> None:
    """Raises this process' bound of open files, and so its children's, to what so many stations need.

    Raises:
        TooFewFiles: The machine does not allow it.
    """
    wanted = stations + FILES_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise TooFewFiles(
            f"{stations} stations need {wanted} open files in one process, and this one may open {hard}, which is "
            f"enough for {max(0, hard - FILES_SPARE)} stations. Raise the bound (`ulimit -Hn {wanted}` as root, or "
            f"LimitNOFILE in systemd), or measure with --quick"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def described() -> dict[str, Any]:
    """The machine as it is now."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average_at_start": [round(load, 2) for load in os.getloadavg()],
    }


def busy(machine: dict[str, Any]) -> str | None:
    """A warning where the machine does other work; None: it is quiet."""
    load = machine["load_average_at_start"][0]
    if load < BUSY_SHARE * machine["cores"]:
        return None
    return (
        f"the machine is busy with other work (load average {load} on {machine['cores']} cores): figures will be worse"
    )


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
