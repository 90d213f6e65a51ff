"""The measured Narke: started by its command line as a user starts it, or one that runs already; asked by its doors.

What it is asked for besides REST: how far PostgreSQL is behind the journal (Redis' streams against the positions that
the projector committed), so that a row can wait until all that it caused is done and paid for.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from loadtests.bench.driving import Failed, free_port, last_lines, start, stop
from loadtests.bench.processes import Family

START_S_MAX = 120.0
STOP_S_MAX = 60.0
SETTLE_S_MAX = 90.0
LOOK_S = 0.25
QUIET_S_MAX = 10.0
QUIET_SHARE = 0.1
"""Of a core that PostgreSQL may still be busy with, vacuuming say, when it counts as quiet."""
RUN_FILE = "run/narke.json"
TOKEN = "BENCH-TOKEN"  # noqa: S105 (what a driver presents; no secret)
SETTINGS = {"ocpp.messages_per_s": "100000", "ocpp.messages_burst": "1000000"}
"""What is not default: a station in closed loop talks faster than `ocpp.messages_per_s` lets one talk."""
_NOT_FOR_NARKE = "NARKE_"


@dataclass(frozen=True)
class Narke:
    """A running Narke.

    Attributes:
        data_dir: Its data directory.
        run_file: What it says of itself.
        start_s: From command line to readiness; None: it ran already.
    """

    data_dir: Path
    run_file: Mapping[str, Any]
    start_s: float | None = None

    @property
    def url(self) -> str:
        """Where stations connect, without the identity."""
        return str(self.run_file["ocpp_url"])

    @property
    def family(self) -> Family:
        """Its processes."""
        return Family(self.run_file["pid"], self.run_file["processes"])

    def cpu_s(self) -> dict[str, float]:
        """See `Family.cpu_s`."""
        return self.family.cpu_s()

    def door(self) -> http.client.HTTPConnection:
        """A connection to REST that stays open; for `ask`."""
        parts = urlsplit(str(self.run_file["http_url"]))
        return http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=60)

    def ask(self, door: http.client.HTTPConnection, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """One request; returns status and body."""
        key = Path(self.run_file["api_key_file"]).read_text(encoding="utf-8").strip()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        door.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = door.getresponse()
        return answer.status, answer.read()

    def add_token(self) -> None:
        """Makes the drivers' token known.

        Raises:
            Failed: It was refused.
        """
        door = self.door()
        with contextlib.closing(door):
            status, said = self.ask(door, "PUT", f"/api/v1/tokens/{TOKEN}", {})
        if status not in {200, 201}:
            raise Failed(f"the token {TOKEN} could not be added: HTTP {status} {said[:200]!r}")

    def postgres(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection to its embedded PostgreSQL."""
        return psycopg.connect(self.postgres_url, autocommit=True)

    @property
    def postgres_url(self) -> str:
        """Of its embedded PostgreSQL, password included."""
        return f"postgresql://narke:{self._secret('postgres')}@127.0.0.1:{self._port('postgres')}/narke"

    def redis(self) -> "redis.Redis":
        """A connection to its embedded Redis."""
        return redis.Redis(port=self._port("redis"), password=self._secret("redis"))

    def _port(self, server: str) -> int:
        try:
            return int(json.loads((self.data_dir / "servers.json").read_text(encoding="utf-8"))[server]["port"])
        except (OSError, KeyError) as error:
            raise Failed(
                f"{self.data_dir}/servers.json names no embedded {server} ({error}); the benchmark needs embedded ones"
            ) from None

    def _secret(self, server: str) -> str:
        return (self.data_dir / "secrets" / f"{server}.password").read_text(encoding="utf-8").strip()

    def settle(self) -> float:
        """Waits until every entry of the journal is in PostgreSQL, and then until PostgreSQL is quiet, a bounded time.

        Returns:
            Seconds until the last entry was there.

        Raises:
            Failed: Not within `SETTLE_S_MAX`.
        """
        began = time.monotonic()
        with contextlib.closing(self.redis()) as client, self.postgres() as connection:
            streams = [key.decode() for key in client.scan_iter("narke:*:journal", count=10_000, _type="stream")]
            while behind := _behind(client, connection, streams):
                if time.monotonic() > began + SETTLE_S_MAX:
                    raise Failed(f"PostgreSQL is behind in {behind} streams {SETTLE_S_MAX:.0f} s after the load's end")
                time.sleep(LOOK_S)
        took_s = time.monotonic() - began
        self._wait_for_quiet()
        return took_s

    def _wait_for_quiet(self) -> None:
        """What PostgreSQL does afterwards by itself is paid for by the load that caused it, not by the next one."""
        until, before = time.monotonic() + QUIET_S_MAX, self.cpu_s().get("postgres", 0.0)
        while time.monotonic() < until:
            time.sleep(LOOK_S)
            now = self.cpu_s().get("postgres", 0.0)
            if now - before < QUIET_SHARE * LOOK_S:
                return
            before = now

    def durability(self) -> dict[str, str]:
        """What Redis says of how it keeps what it has acknowledged."""
        with contextlib.closing(self.redis()) as client:
            told = client.config_get("append*")
        return {name: str(told.get(name)) for name in ("appendonly", "appendfsync")}


def _behind(client: "redis.Redis", connection: "psycopg.Connection[tuple[Any, ...]]", streams: Sequence[str]) -> int:
    """How many streams have entries that are not in PostgreSQL."""
    pipeline = client.pipeline(transaction=False)
    for stream in streams:
        pipeline.xinfo_stream(stream)
    last = {
        stream: told["last-generated-id"].decode() for stream, told in zip(streams, pipeline.execute(), strict=True)
    }
    rows = connection.execute("SELECT stream, last_id FROM journal_positions").fetchall()
    done = {f"narke:{{{stream}}}:journal": position for stream, position in rows}
    return sum(done.get(stream, "0-0") != position for stream, position in last.items())


def attach(data_dir: Path) -> Narke:
    """The Narke that runs on this data directory.

    Raises:
        Failed: None does.
    """
    try:
        run_file = json.loads((data_dir / RUN_FILE).read_text(encoding="utf-8"))
        os.kill(run_file["pid"], 0)
    except (OSError, ValueError, KeyError) as error:
        raise Failed(
            f"no Narke runs on {data_dir} ({error}); start one with `narke up --data-dir {data_dir}`"
        ) from None
    narke = Narke(data_dir, run_file)
    narke.add_token()
    return narke


@contextlib.contextmanager
def running(folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[Narke]:
    """A fresh Narke in `folder` with embedded servers, until the block's end.

    Args:
        folder: For its data and its log.
        settings: Beyond `SETTINGS`, as `--set` takes them.

    Raises:
        Failed: It does not come up; with the end of its log.
    """
    data_dir, log = folder / "data", folder / "narke.log"
    folder.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [Path(sys.executable).parent / "narke", "up", "--data-dir", data_dir]
    command += ["--port", str(free_port()), "--http-port", str(free_port())]
    for name, value in (SETTINGS | dict(settings or {})).items():
        command += ["--set", f"{name}={value}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_NARKE)}
    process = start(command, log, environment=environment | {"RAY_USAGE_STATS_ENABLED": "0"})
    try:
        yield _until_ready(process, data_dir, log)
    finally:
        stop(process, signal.SIGINT, STOP_S_MAX)


def _until_ready(process: "subprocess.Popen[bytes]", data_dir: Path, log: Path) -> Narke:
    began = time.monotonic()
    while time.monotonic() < began + START_S_MAX and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            narke = Narke(data_dir, json.loads((data_dir / RUN_FILE).read_text(encoding="utf-8")))
            with contextlib.closing(narke.door()) as door:
                if narke.ask(door, "GET", "/readyz")[0] == http.HTTPStatus.OK:
                    narke.add_token()
                    return Narke(data_dir, narke.run_file, time.monotonic() - began)
        time.sleep(0.2)
    what = "ended before it was ready" if process.poll() is not None else f"was not ready within {START_S_MAX:.0f} s"
    raise Failed(f"Narke {what}; its log ({log}) ends with:\n{last_lines(log)}")
