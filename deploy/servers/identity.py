"""As whom the embedded servers run. PostgreSQL refuses root, and nothing that listens should be root.

An ordinary user runs them as it is. For root there are two ways: a user namespace in which root is called 65534 (files
stay root's own, which fits a data directory below /root), or, where namespaces are forbidden (Docker's default), user
65534 with the server's folders given to it.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

from deploy.servers.binaries import Program
from deploy.servers.errors import DataDirError, ServerError

LAUNCHER = Path(__file__).with_name("launch.py")
NOBODY = 65534
_PROBE_S_MAX = 20


class Identity(StrEnum):
    """The modes of `launch.py`."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"
    NOBODY_SEARCH = "nobody+search"

    @property
    def file_owner(self) -> int:
        """Who must own the server's folders, seen from outside."""
        return NOBODY if self in (Identity.NOBODY, Identity.NOBODY_SEARCH) else os.geteuid()


def choose_identity(folder: Path) -> Identity:
    """The least privilege that can work in the data directory (which must exist).

    Raises:
        ServerError: We are root and can become nobody else.
    """
    if os.geteuid() != 0:
        return Identity.SELF
    if can_become(Identity.NAMESPACE):
        return Identity.NAMESPACE
    wanted = Identity.NOBODY_SEARCH
    if reachable_by_nobody(folder.resolve().parent):  # the folder itself is ours to open: `open_for`
        wanted = Identity.NOBODY
    if can_become(wanted):
        return wanted
    raise ServerError(
        f"PostgreSQL refuses to run as root, and this root may neither make user namespaces nor become user {NOBODY}"
        f"{'' if wanted is Identity.NOBODY else f' with access to {folder}'}. Run Narke as an ordinary user, or give "
        "it a folder that everybody may enter (--data-dir /var/lib/narke), or use --postgres-url and --redis-url."
    )


def open_for(identity: Identity, folder: Path) -> None:
    """Where servers are plain nobody: lets them pass through the data directory (mode 0711), not read it."""
    if identity is Identity.NOBODY:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXGRP | stat.S_IXOTH)


def can_become(identity: Identity) -> bool:
    """Tried for real: the rules (sysctl, seccomp, AppArmor, capabilities) are too many to read."""
    command = [*launch_command(identity, signal.SIGKILL, Path("/")), "/bin/true"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_PROBE_S_MAX)  # noqa: S603 (our own words)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def launch_command(identity: Identity, death_signal: signal.Signals, folder: Path) -> list[str]:
    """The words before a server's own command line. `folder`: the server's working directory."""
    python = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*python, identity.value, str(os.getpid()), str(int(death_signal)), str(folder)]


def reachable_by_nobody(path: Path) -> bool:
    """Every folder down to `path`, and it, may be entered by everybody (or is nobody's own)."""
    resolved = path.resolve()
    return all(_may_enter(folder.stat()) for folder in (resolved, *resolved.parents))


def readable_by_nobody(program: Path) -> bool:
    """Nobody can run this program."""
    resolved = program.resolve()
    return reachable_by_nobody(resolved.parent) and bool(resolved.stat().st_mode & stat.S_IXOTH)


def _may_enter(status: os.stat_result) -> bool:
    return bool(status.st_mode & (stat.S_IXUSR if status.st_uid == NOBODY else stat.S_IXOTH))


def hand_over(folder: Path, identity: Identity) -> None:
    """Gives a server's folder, and all in it, to the one it runs as; nothing to do in most starts.

    Raises:
        DataDirError: It belongs to somebody else and we may not change that.
    """
    owner = identity.file_owner
    if folder.stat().st_uid == owner:
        return
    if os.geteuid() != 0:
        raise DataDirError(
            f"{folder} belongs to user {folder.stat().st_uid}, but we are user {owner}. "
            f"Run Narke as that user, or change the owner: chown -R {owner} {folder}"
        )
    for path in sorted(folder.rglob("*")):  # the folder itself comes last: until then the work counts as not done
        os.chown(path, owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)


def program_for(identity: Identity, program: Program, copies: Path) -> Path:
    """The program as `identity` can run it: where it is, or in a copy below `copies` if it is closed to nobody.

    Raises:
        DataDirError: It cannot be copied.
    """
    if identity is not Identity.NOBODY or readable_by_nobody(program.path):
        return program.path
    status = program.path.stat()
    copy = copies / f"{program.flavour}-{'.'.join(map(str, program.version))}-{status.st_size}-{status.st_mtime_ns}"
    try:
        if not copy.exists():
            _copy(program, copy, copies / f".{copy.name}.part")
    except (OSError, shutil.Error) as error:
        raise DataDirError(f"{program} is closed to user {NOBODY} and cannot be copied to {copies}: {error}") from error
    return copy / program.path.relative_to(program.tree)


def _copy(program: Program, copy: Path, part: Path) -> None:
    """Copies what the program needs, readable for all; it appears at once or not at all."""
    shutil.rmtree(part, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.a", "include", "*.py", "__pycache__")
    for name in program.parts:
        shutil.copytree(program.tree / name, part / name, symlinks=True, ignore=ignored)
    for path in (copy.parent, part, *part.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    part.replace(copy)
