"""The whole examination: everything is looked at, whatever is found on the way."""

from collections.abc import Callable, Iterator

from deploy.doctor import cluster, machine, places, servers
from deploy.doctor.report import Check, fail
from deploy.settings import Settings


def examine(settings: Settings) -> Iterator[Check]:
    """All checks in order, each as soon as it is done. A check that breaks is itself a finding."""
    checks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        machine.examine,
        places.examine,
        servers.examine,
        cluster.examine,
    )
    for check in checks:
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001 (the doctor must finish its round whatever this machine does)
            yield fail(
                check.__module__.rpartition(".")[2],
                f"could not be examined: {type(error).__name__}: {error}",
                "Please report this, with the whole output of `narke doctor --json`.",
            )
