"""Ray: installed, of the right version, and its cluster there when one is to be joined. Ray itself is not imported."""

import importlib.metadata
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

from deploy.doctor.report import Check, fail, ok
from deploy.settings import Settings

VERSION_MIN = (2, 60)
CURRENT_CLUSTER = Path("/tmp/ray/ray_current_cluster")  # noqa: S108 (where `ray start` writes its address)
_CLIENT_PORT = 10_001
_ANSWER_S_MAX = 3.0


def examine(settings: Settings) -> Iterator[Check]:
    """All checks of this module."""
    yield _installed()
    if settings.ray.address is not None:
        yield cluster(settings.ray.address)


def cluster(address: str, current: Path = CURRENT_CLUSTER) -> Check:
    """Something listens where the cluster should be. `current`: the file that says where this machine's cluster is."""
    place = address
    if address == "auto":
        try:
            place = current.read_text(encoding="utf-8").strip()
        except OSError:
            return fail(
                "ray cluster", f"no Ray runs on this machine ({current} is not there)",
                "Start it (`ray start --head`), or drop --address: Narke then starts its own.",
            )  # fmt: skip
    host, _, port = place.removeprefix("ray://").rpartition(":")
    if not host:
        host, port = port, str(_CLIENT_PORT)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S_MAX).close()
    except (OSError, ValueError) as error:
        return fail("ray cluster", f"{place} does not answer: {error}", "Start the cluster, or correct --address.")
    return ok("ray cluster", f"{place} answers")


def _installed() -> Check:
    if importlib.util.find_spec("ray") is None:
        return fail("ray", "not installed", "Install Narke with its dependencies: `make setup`.")
    version = importlib.metadata.version("ray")
    numbers = tuple(int(number) for number in version.split(".")[:2])
    if numbers < VERSION_MIN:
        return fail("ray", version, f"Narke needs Ray {'.'.join(map(str, VERSION_MIN))} or later: `make setup`.")
    return ok("ray", version)
