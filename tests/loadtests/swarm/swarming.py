"""Locust with our file as a child process, as a user starts it, and what it wrote."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCUST = Path(sys.executable).parent / "locust"


def environment():
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("NARKE_", "LOCUST_"))}
    return mine | {"PYTHONPATH": str(ROOT)}


@contextlib.asynccontextmanager
async def started(*arguments, **variables):
    """A running Locust; killed if it outlives the block."""
    process = await asyncio.create_subprocess_exec(
        LOCUST,
        *("-f", ROOT / "loadtests" / "locustfile.py", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment() | variables,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def locust(*arguments, **variables):
    """Exit code, and what it said."""
    async with started(*arguments, **variables) as process:
        said, _ = await process.communicate()
        return process.returncode, said.decode()


class Rows:
    """The statistics of a run: by (type, name)."""

    def __init__(self, path):
        self.rows = {(row["method"], row["name"]): row for row in json.loads(Path(path).read_text())}

    def __contains__(self, row):
        return row in self.rows

    def count(self, kind, name):
        return self.rows[kind, name]["num_requests"]

    @property
    def failed(self):
        return {row: entry["num_failures"] for row, entry in self.rows.items() if entry["num_failures"]}

    def names(self, kind):
        return {name for method, name in self.rows if method == kind}
