"""A running HTTP door over memory twins, found through a data directory as `narke up` leaves it."""

import asyncio
import os
import threading
from concurrent.futures import Future

import pytest
import structlog
from typer.testing import CliRunner

from deploy import run_file
from deploy.cli import app
from ingress.http.app import create_app
from ingress.http.keys import HASHES_FILE, KEY_FILE, ApiKey, ApiKeys, Scope, sha256_of, write_keys
from ingress.http.server import HttpServer
from tests.ingress.http.house import KEYS, NOW, TestHouse


@pytest.fixture(autouse=True)
def _quiet():
    with structlog.testing.capture_logs():
        yield


class RunningNarke:
    """A house behind a real server, and the data directory that leads to it."""

    def __init__(self, data_dir, house, url):
        self.data_dir = data_dir
        self.house = house
        self.url = url

    def run(self, *arguments, stdin=None, env=None):
        given = {"NARKE_DATA_DIR": str(self.data_dir), "NARKE_URL": "", "NARKE_API_KEY": "", "COLUMNS": "100"}
        return CliRunner().invoke(app, list(arguments), input=stdin, env=given | (env or {}))


class Door:
    """One server for many tests; each puts its own application behind it."""

    def __init__(self):
        self.app = None
        self.url = ""

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

    def serve(self, started):
        async def run():
            server = HttpServer(self, "127.0.0.1", 0)
            await server.start()
            self.url = server.url
            stop = asyncio.Event()
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()
            await server.stop()

        asyncio.run(run())


@pytest.fixture(scope="module")
def door():
    door, started = Door(), Future()
    thread = threading.Thread(target=door.serve, args=(started,))
    thread.start()
    loop, stop = started.result(timeout=20)
    yield door
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
def narke(door, tmp_path):
    (tmp_path / KEY_FILE).write_text(KEYS[Scope.ADMIN] + "\n")
    write_keys(tmp_path / HASHES_FILE, (ApiKey("first", sha256_of(KEYS[Scope.ADMIN]), Scope.ADMIN, NOW),))
    house = TestHouse(keys=ApiKeys(tmp_path))
    door.app = create_app(house.services)
    info = run_file.RunInfo(
        pid=os.getpid(), started_at=NOW.isoformat(), http_url=door.url, ocpp_url="ws://127.0.0.1:1/ocpp",
        api_key_file=str(tmp_path / KEY_FILE), data_dir=str(tmp_path), version="1.2.3",
    )  # fmt: skip
    run_file.write(tmp_path, info)
    return RunningNarke(tmp_path, house, door.url)
