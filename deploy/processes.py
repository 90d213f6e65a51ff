"""What the kernel says about processes: whether one lives, whether it is still the same one, which work in a folder."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_POLL_S = 0.02


def birth_of(pid: int) -> int | None:
    """Clock ticks between boot and the start of a process: with the pid, its name for as long as the machine is up.

    None: there is no such process, or it has ended and only waits for its parent to notice (a zombie).
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else int(started)


def is_alive(pid: int, birth: int | None = None) -> bool:
    """The process lives; with `birth`: and is the one that it was, not a later owner of its number."""
    now = birth_of(pid)
    return now is not None and (birth is None or birth == now)


def command_of(pid: int) -> str:
    """Its command line; empty when it is gone or not ours to see."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def program_of(pid: int) -> str:
    """The name of the program file that it runs; empty when it is gone or not ours to see."""
    try:
        return (_PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def working_in(directory: Path) -> list[int]:
    """Processes whose working directory is this one, as far as we may see."""
    found = []
    wanted = directory.resolve()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == wanted and is_alive(int(entry.name)):
                    found.append(int(entry.name))
            except OSError:
                continue  # gone meanwhile, or another user's
    return found


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Signals processes; those that are gone already are as wished."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_until_gone(pids: Iterable[int], seconds_max: float) -> list[int]:
    """Waits for processes that are not our children; returns those that still live."""
    deadline = time.monotonic() + seconds_max
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = [pid for pid in left if is_alive(pid)]
    return left
