"""A whole Narke as a child process, as a user starts it: its own ports and data directory, parts that can be killed."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import psutil
import psycopg

BIN = Path(sys.executable).parent
START_S = 180
"""Long, for other tests may be starting servers on the same two cores."""
STOP_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Narke:
    """Starts and ends `narke up`, talks to it by CLI, REST and SQL, kills its processes."""

    def __init__(self, folder, **settings):
        self.data_dir = Path(folder) / "data"
        self.ocpp_port, self.http_port = free_port(), free_port()
        self.settings = settings
        self.process = None

    @property
    def ocpp_url(self):
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    @property
    def http_url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def environment(self):
        """What the product may see: no setting of the tester's own, and those of this test."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("NARKE_")}
        mine |= {"NARKE_LOG__LEVEL": "info", "RAY_USAGE_STATS_ENABLED": "0"}
        return mine | {f"NARKE_{key.upper()}": str(value) for key, value in self.settings.items()}

    def start(self, *arguments):
        log = (self.data_dir.parent / "up.log").open("a")
        command = [BIN / "narke", "up", "--data-dir", self.data_dir, "--port", self.ocpp_port]
        command += ["--http-port", self.http_port, *arguments]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, env=self.environment, start_new_session=True
        )
        log.close()
        try:
            self.wait_until(lambda: self.process.poll() is not None or self.is_ready(), START_S)
        except AssertionError:
            self.stop()  # or it outlives the test
            raise
        assert self.process.poll() is None, self.said()

    def stop(self):
        """Ctrl-C; returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)

    def kill_all(self):
        """kill -9 of `narke up` itself; everything else must follow by itself."""
        self.process.kill()
        self.process.wait(STOP_S)

    def family(self):
        """Every process that came from ours; to be asked for before the end, for `survivors` after it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def survivors(self, family):
        """Who of the family still lives, or bears our name: its command line, folder or environment tells."""
        alive = [process for process in family if self._lives(process)]
        strangers = [process for process in psutil.process_iter() if process not in alive and self._is_ours(process)]
        return [str(process) for process in alive + strangers]

    @staticmethod
    def _lives(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return False

    def _is_ours(self, process):
        with contextlib.suppress(psutil.Error):
            words = (process.cwd(), *process.cmdline(), *process.environ().values())
            return process.pid != os.getpid() and any(str(self.data_dir) in word for word in words)
        return False

    def said(self):
        return (self.data_dir.parent / "up.log").read_text()

    def is_ready(self):
        """It answers, and says who its processes are."""
        with contextlib.suppress(httpx2.HTTPError):
            answer = httpx2.get(f"{self.http_url}/readyz", timeout=5)
            return answer.status_code == 200 and (self.data_dir / "run" / "narke.json").is_file()
        return False

    @property
    def processes(self):
        """Pids by name, as the run file has them."""
        return json.loads((self.data_dir / "run" / "narke.json").read_text())["processes"]

    def kill(self, name):
        """kill -9 of one process; returns its pid."""
        pid = self.processes[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_back(self, name, pid):
        """Waits until the named process is another one and all is ready."""
        self.wait_until(lambda: self.processes.get(name) not in (None, pid) and self.is_ready(), 60)

    def api(self, method, path, **options):
        key = (self.data_dir / "api-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx2.request(method, f"{self.http_url}/api/v1{path}", headers=headers, timeout=60, **options)

    def cli(self, *arguments, check=True, **options):
        command = [str(BIN / "narke"), "--data-dir", str(self.data_dir), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False, **options)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def sql(self, query, *parameters):
        """Rows as dicts, from the real tables."""
        port = json.loads((self.data_dir / "servers.json").read_text())["postgres"]["port"]
        password = (self.data_dir / "secrets" / "postgres.password").read_text().strip()
        url = f"postgresql://narke:{password}@127.0.0.1:{port}/narke"
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query, parameters).fetchall()

    def wait_for_rows(self, query, *parameters, count=1, seconds=30):
        """The rows once there are at least `count`."""
        rows = []

        def enough():
            nonlocal rows
            with contextlib.suppress(psycopg.OperationalError):
                rows = self.sql(query, *parameters)
            return len(rows) >= count

        self.wait_until(enough, seconds)
        return rows

    @staticmethod
    def wait_until(condition, seconds):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.1)


async def eventually(condition, seconds=30):
    """Waits in a coroutine."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.05)
