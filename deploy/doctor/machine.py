"""The machine: Python, cores, memory, disk, shared memory, open files, clock."""

import ctypes
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from deploy.doctor.report import Check, fail, ok, warn
from deploy.servers.data_dir import FREE_MB_MIN
from deploy.settings import Settings

CORES_WANTED = 2
MEMORY_MB_MIN = 1_000
MEMORY_MB_WANTED = 2_000
DISK_MB_WANTED = 2_000
FILES_SPARE = 500
"""Open files that a process needs beside its connections."""
_SHM = Path("/dev/shm")  # noqa: S108 (that is the place that Ray uses)
_SHM_FACTOR = 1.3
_TIME_WORDS = {1: "a leap second comes at the end of the day", 2: "a leap second is left out at the end of the day"}
_TIME_UNSYNCHRONISED = 5


def examine(settings: Settings) -> Iterator[Check]:
    """All checks of this module."""
    yield _python()
    yield _cores()
    yield _memory()
    yield disk(settings.data_dir, shutil.disk_usage(existing(settings.data_dir)).free // 1_000_000)
    if settings.ray.address is None:
        yield _shared_memory(settings.ray.object_store_mb)
    yield open_files(*resource.getrlimit(resource.RLIMIT_NOFILE), settings.ocpp.connections_max)
    yield _clock_discipline()


def existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    return path if path.exists() else existing(path.parent)


def disk(data_dir: Path, free_mb: int) -> Check:
    """Free space where the data directory is, in MB."""
    found = f"{free_mb:,} MB free for {data_dir}"
    if free_mb < FREE_MB_MIN:
        return fail(
            "disk", found, f"Free some space: a first start needs {FREE_MB_MIN} MB, and a full disk stops every answer."
        )
    if free_mb < DISK_MB_WANTED:
        return warn("disk", found, "Free some space; a full disk stops all stations from being answered.")
    return ok("disk", found)


def open_files(soft: int, hard: int, connections_max: int) -> Check:
    """The limits of this process (as `getrlimit` gives them) against the connections that one ingress may hold."""
    wanted = connections_max + FILES_SPARE
    words = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft:,}"
    found = f"{words} open files, {wanted:,} wanted for {connections_max:,} connections"
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ok("open files", found)
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        return warn("open files", found, f"Before `narke up`: ulimit -n {wanted}")
    return warn(
        "open files",
        f"{found}, {hard:,} allowed",
        f"Raise the hard limit (systemd: LimitNOFILE={wanted}; else nofile in /etc/security/limits.conf), "
        f"or lower ocpp.connections_max to {max(1, hard - FILES_SPARE)}.",
    )


def _python() -> Check:
    found = f"{sys.version.split()[0]} ({sys.executable})"
    if sys.version_info[:2] in ((3, 11), (3, 12)):
        return ok("python", found)
    return fail("python", found, "Narke needs Python 3.11 or 3.12.")


def _cores() -> Check:
    cores = len(psutil.Process().cpu_affinity() or ())
    found = f"{cores} usable"
    if cores >= CORES_WANTED:
        return ok("cores", found)
    return warn("cores", found, "One core serves a demonstration; thousands of stations want at least two.")


def _memory() -> Check:
    free_mb = psutil.virtual_memory().available // 1_000_000
    found = f"{free_mb:,} MB available"
    if free_mb < MEMORY_MB_MIN:
        return fail("memory", found, f"Narke with its servers needs {MEMORY_MB_MIN:,} MB: close some programs.")
    if free_mb < MEMORY_MB_WANTED:
        return warn("memory", found, f"{MEMORY_MB_WANTED:,} MB leave room for thousands of stations.")
    return ok("memory", found)


def _shared_memory(object_store_mb: int) -> Check:
    if not _SHM.is_dir():
        return warn("shared memory", f"{_SHM} does not exist", "Ray will use files in /tmp, which is slower.")
    free_mb = shutil.disk_usage(_SHM).free // 1_000_000
    wanted_mb = round(object_store_mb * _SHM_FACTOR)
    found = f"{free_mb:,} MB free in {_SHM}, {wanted_mb:,} MB wanted for Ray's object store"
    if free_mb >= wanted_mb:
        return ok("shared memory", found)
    return warn(
        "shared memory",
        found,
        f"Ray will use files in /tmp, which is slower. Docker: --shm-size={wanted_mb}m, or lower ray.object_store_mb.",
    )


def _clock_discipline() -> Check:
    """What the kernel knows of its clock (adjtimex(2)); asking needs no privilege."""
    timex = ctypes.create_string_buffer(512)  # modes = 0: only asks
    state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    if state == _TIME_UNSYNCHRONISED or state < 0:
        return warn(
            "clock",
            "not synchronised by this machine's kernel",
            "Run chrony or systemd-timesyncd; stations take their time from us. In a virtual machine or container, the "
            "host may do it.",
        )
    return ok("clock", _TIME_WORDS.get(state, "synchronised"))
