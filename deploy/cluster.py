"""What joining a running Ray cluster asks of the settings. Judged before anything of ours is started there."""

import time
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from actors import runtime
from actors.router import DIRECTORY
from actors.runtime import Node
from deploy import shares
from deploy.settings import Settings
from deploy.wiring.exporter import is_everywhere

_END_S_MAX = 10.0
_POLL_S = 0.1


class ClusterUnfit(Exception):  # noqa: N818 (a state)
    """Narke cannot run on this cluster with these settings. The message says why and what to do."""


def judge(settings: Settings) -> None:
    """Looks at the cluster that this process has joined.

    Raises:
        ClusterUnfit: Another Narke runs there, or its nodes could not reach the servers or bind their ports.
    """
    nodes, home = runtime.nodes(), runtime.here()
    problems = [*problems_of(settings, nodes, home), *overbookings_of(settings, nodes, home)]
    if problems:
        raise ClusterUnfit("\n".join(problems))
    _refuse_second(settings.ray.namespace)


def fit(settings: Settings, nodes: Iterable[Node], home: str) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """The nodes that can be used with these settings, and what is wrong with the others, which joined later.

    `home`: id of the node of `narke up`.
    """
    nodes = tuple(nodes)
    ours = [node for node in nodes if node.id == home]
    usable, problems = [*ours], []
    for node in nodes:
        if node.id != home:
            wrong = [*problems_of(settings, [*ours, node], home)]
            problems += [f"node {node.id} at {node.address}: {problem}" for problem in wrong]
            usable += [] if wrong else [node]
    return tuple(usable), tuple(problems)


def problems_of(settings: Settings, nodes: Iterable[Node], home: str) -> Iterator[str]:
    """What is wrong with the settings for these nodes. `home`: id of the node of `narke up`."""
    by_id = {node.id: node for node in nodes}
    if len(by_id) < 2:
        return
    others = [node.address for node in by_id.values() if node.address != by_id[home].address]
    servers = settings.servers
    for name, flag, url in (
        ("PostgreSQL", "--postgres-url", servers.postgres_url),
        ("Redis", "--redis-url", servers.redis_url),
    ):
        if url is None:
            yield (
                f"the Ray cluster has {len(by_id)} nodes, and the {name} that Narke starts listens on 127.0.0.1 of "
                f"this machine only: name one that all nodes reach by {flag}"
            )
        elif others and _is_loopback(url):
            yield (
                f"{flag} names this machine's loopback address, which the nodes on {', '.join(others)} do not "
                f"reach: name {name} by an address that they do"
            )
    if others and not is_everywhere(settings.ocpp.host):
        yield (
            f"ocpp.host is {settings.ocpp.host}, an address that only one of {len(by_id)} nodes has: "
            "set ocpp.host = 0.0.0.0"
        )


def overbookings_of(settings: Settings, nodes: Sequence[Node], home: str) -> Iterator[str]:
    """Nodes of which more CPUs would be reserved than they have: Ray would never start the actors there."""
    workers = {node.id: node for node in shares.workers(nodes, home)}
    for node_id, cpus in shares.overbooked(settings.actors, [*workers.values()]).items():
        node = workers[node_id]
        yield (
            f"the Ray node at {node.address} has {node.cpus:g} CPUs, and Narke's actors there would reserve {cpus:g}: "
            "lower actors.actor_cpus, actors.station_actors or actors.ingresses"
        )


def _is_loopback(url: SecretStr) -> bool:
    host = urlsplit(url.get_secret_value()).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def _refuse_second(namespace: str) -> None:
    """One Narke per namespace. That of a run that has just ended may still be on its way out: it is waited for."""
    give_up_at = time.monotonic() + _END_S_MAX
    while DIRECTORY in runtime.names():
        if time.monotonic() > give_up_at:
            raise ClusterUnfit(
                f"another Narke runs in namespace {namespace} of this Ray cluster. End that one (`narke down` where it "
                "was started), or let this one live beside it, with servers of its own: --set ray.namespace=<another>"
            )
        time.sleep(_POLL_S)
