"""The places Narke takes: its data directory and its two ports."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy import run_file
from deploy.doctor.machine import existing
from deploy.doctor.report import Check, fail, ok, warn
from deploy.processes import command_of
from deploy.run_file import RunFileBroken, RunState
from deploy.servers.data_dir import holder_of
from deploy.servers.ports import is_free
from deploy.settings import Settings
from ingress.ocpp.tls_files import TlsUnusable, load

_WORDS_OF_COMMAND_MAX = 60


def examine(settings: Settings) -> Iterator[Check]:
    """All checks of this module."""
    yield data_dir(settings.data_dir)
    try:
        state = run_file.read(settings.data_dir)
    except RunFileBroken as error:
        yield fail("running system", str(error), "")
        state = None
    yield _running(settings.data_dir, state)
    ours = _ours(state)
    yield port("OCPP port", settings.ocpp.host, settings.ocpp.port, ours, "--port")
    if settings.ocpp.has_tls:
        yield port("OCPP TLS port", settings.ocpp.host, settings.ocpp.tls_port, ours, "--set ocpp.tls_port=...")
        yield tls_files(settings)
    yield port("HTTP port", settings.http.host, settings.http.port, ours, "--http-port")


def data_dir(path: Path) -> Check:
    """It can be made, entered and written by us."""
    place = existing(path)
    if not place.is_dir():
        return fail("data directory", f"{place} is a file", "Move it away, or choose another folder by --data-dir.")
    if not os.access(place, os.W_OK | os.X_OK) or not _takes_files(place):
        return fail(
            "data directory",
            f"{place} cannot be written by user {os.geteuid()}",
            f"chown {os.geteuid()} {place}, or choose another folder by --data-dir.",
        )
    return ok("data directory", f"{path}{'' if path == place else ' (made at the first start)'}")


def port(name: str, host: str, number: int, ours: Mapping[int, str], flag: str) -> Check:
    """It is free, or taken by the Narke that runs. `ours`: names of that Narke's processes by pid."""
    if number == 0:
        return ok(name, "any free one")
    if is_free(number, host):
        return ok(name, f"{number} is free on {host}")
    holder = listener_on(number)
    if holder is not None and holder in ours:
        return ok(name, f"{number} is taken by Narke itself ({ours[holder]})")
    if holder is None and number < 1024 and os.geteuid() != 0:
        who = "is below 1024 or taken by a process that we may not see"
    else:
        who = (
            f"is taken by process {holder} ({_short(holder)})"
            if holder
            else "is taken, or not an address of this machine"
        )
    return fail(name, f"{host}:{number} {who}", f"End that process or choose another port by {flag}.")


def tls_files(settings: Settings) -> Check:
    """The files of the TLS port can be used."""
    try:
        loaded = load(settings.ocpp)
    except TlsUnusable as error:
        return fail("TLS files", str(error), "See docs/security.md; `narke ca issue server` makes such files.")
    ends = ", ".join(f"{kind} until {at:%Y-%m-%d}" for kind, at in sorted(loaded.expires_at.items()))
    if min(loaded.expires_at.values()) < datetime.now(UTC):  # noqa: TID251 (a shell: the files are of this machine)
        return warn("TLS files", f"a certificate has expired: {ends}", "Renew it; a restart is not needed.")
    return ok("TLS files", ends)


def listener_on(number: int) -> int | None:
    """The process that listens on a port; None: nobody, or not ours to see."""
    try:
        sockets = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    return next((s.pid for s in sockets if s.status == psutil.CONN_LISTEN and s.laddr and s.laddr.port == number), None)


def _running(path: Path, state: RunState | None) -> Check:
    holder = holder_of(path)
    if state is not None and state.running:
        return ok("running system", f"process {state.info.pid}, {state.info.http_url}")
    if holder is not None:
        return warn(
            "running system",
            f"process {holder or '?'} holds the data directory, but has not written its run file",
            "It is starting or stopping; if that lasts, end it.",
        )
    if state is not None:
        return ok("running system", "none; the run file of a Narke that was killed is still there, which harms nothing")
    return ok("running system", "none")


def _ours(state: RunState | None) -> dict[int, str]:
    if state is None or not state.running:
        return {}
    return {state.info.pid: "narke up"} | {pid: name for name, pid in state.info.processes.items()}


def _takes_files(folder: Path) -> bool:
    """Tried for real: root passes every check of modes, but not a read-only file system."""
    probe = folder / f".narke-doctor.{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _short(pid: int) -> str:
    command = command_of(pid)
    return command if len(command) <= _WORDS_OF_COMMAND_MAX else f"{command[:_WORDS_OF_COMMAND_MAX]}..."
