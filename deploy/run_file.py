"""The run file, `<data-dir>/run/narke.json`: how commands find the Narke that runs on this data directory.

Written atomically by `narke up`, removed at its end. One that outlives its process (kill -9) is recognised as stale:
the process is gone, or its number belongs to another process now, which its time of birth tells.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from deploy.processes import birth_of, is_alive

FILE = "run/narke.json"
TARGETS_FILE = "run/prometheus-targets.json"


class RunFileBroken(Exception):  # noqa: N818 (the state of a file)
    """The file is there but does not say what it should; the message says where and what to do."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a running Narke says of itself.

    `started_at`: ISO 8601, UTC. `processes`: pid by name (`postgres`, `redis`, `ingress-0`, ...). URLs have no trailing
    slash. `pid_birth`: see `processes.birth_of`; None: filled in by `write`.
    """

    pid: int
    started_at: str
    http_url: str
    ocpp_url: str
    api_key_file: str
    data_dir: str
    version: str
    processes: Mapping[str, int] = {}
    prometheus_targets_file: str | None = None
    pid_birth: int | None = None


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run file as found. `running`: its process lives; False: the file is stale."""

    info: RunInfo
    running: bool


def write(data_dir: Path, info: RunInfo) -> Path:
    """Writes or replaces the run file; it appears at once or not at all. Mode 0644: it holds no secret."""
    if info.pid_birth is None:
        info = msgspec.structs.replace(info, pid_birth=birth_of(info.pid))
    return write_json(data_dir / FILE, msgspec.to_builtins(info))


def read(data_dir: Path) -> RunState | None:
    """The run file, judged; None: there is none.

    Raises:
        RunFileBroken: It cannot be read or is not ours.
    """
    path = data_dir / FILE
    try:
        info = msgspec.json.decode(path.read_bytes(), type=RunInfo)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RunFileBroken(
            f"the run file {path} cannot be read: {error.strerror}. Be the user that Narke runs as."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunFileBroken(
            f"the run file {path} is damaged ({error}). If no Narke runs on this data directory, delete the file."
        ) from None
    return RunState(info=info, running=is_alive(info.pid, info.pid_birth))


def remove(data_dir: Path) -> None:
    """Removes the run file of this process, or a stale or broken one; that of another living Narke is left alone."""
    try:
        state = read(data_dir)
    except RunFileBroken:
        state = None
    if state is None or state.info.pid == os.getpid() or not state.running:
        (data_dir / FILE).unlink(missing_ok=True)


def write_prometheus_targets(data_dir: Path, groups: Sequence[Mapping[str, Any]]) -> Path:
    """Writes what is to be scraped for Prometheus's `file_sd_configs`; returns the file.

    `groups`: in its form, `{"targets": ["host:port"], "labels": {"node": "a"}}`.
    """
    return write_json(data_dir / TARGETS_FILE, list(groups))


def write_json(path: Path, value: Any, mode: int = 0o644) -> Path:
    """Writes JSON so that a reader sees the old file or the new one, never half of one, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
