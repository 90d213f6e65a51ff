"""How many station actors and ingresses each node of the cluster gets. Pure."""

from collections.abc import Mapping, Sequence

from actors.runtime import Node
from actors.settings import ActorSettings


def deal(count: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Deals `count` out to the nodes by weight, one after the other, to who has the most weight for it.

    Args:
        count: How many.
        weights: By node id, above 0; the first of equals comes first.
    """
    shares = dict.fromkeys(weights, 0)
    for _ in range(count if weights else 0):
        shares[max(weights, key=lambda node: weights[node] / (shares[node] + 1))] += 1
    return shares


def workers(nodes: Sequence[Node], home: str) -> list[Node]:
    """The nodes that actors go to, that of `narke up` (`home`) first.

    Nodes that are to leave get none, nor do those that offered Ray no CPU (as heads of clusters do to be left alone);
    where only such are left, the work is at home.
    """
    able = [node for node in nodes if node.cpus > 0 and not node.draining]
    able = able or [node for node in nodes if node.id == home]
    return sorted(able, key=lambda node: node.id != home)


def ingresses(settings: ActorSettings, nodes: Sequence[Node]) -> dict[str, int]:
    """By node id. `nodes`: those that actors go to."""
    weights = {node.id: 1.0 for node in nodes}
    return deal(settings.ingresses or len(nodes), weights)


def station_actors(settings: ActorSettings, nodes: Sequence[Node], cores: Mapping[str, int]) -> dict[str, int]:
    """By node id, none in literal mode, never more than there are shards.

    Args:
        settings: Say how many, or that it is one per core.
        nodes: Those that actors go to.
        cores: By node id, where Ray's number of CPUs is not the number of cores.
    """
    if settings.literal:
        return dict.fromkeys((node.id for node in nodes), 0)
    doors = ingresses(settings, nodes)
    rooms = {node.id: cores.get(node.id) or _room(node, settings.actor_cpus, doors[node.id]) for node in nodes}
    count = settings.station_actors or sum(rooms.values())
    return deal(min(count, settings.shards), rooms)


def _room(node: Node, actor_cpus: float, doors: int) -> int:
    """Station actors that a node has cores for; where they reserve CPUs, for what its ingresses leave of those."""
    return max(1, int(node.cpus / actor_cpus) - doors if actor_cpus else int(node.cpus))


def overbooked(settings: ActorSettings, nodes: Sequence[Node]) -> dict[str, float]:
    """By node id, the CPUs that would be reserved of a node that has fewer."""
    doors, hosts = ingresses(settings, nodes), station_actors(settings, nodes, {})
    booked = {node.id: (doors[node.id] + hosts[node.id]) * settings.actor_cpus for node in nodes}
    return {node.id: booked[node.id] for node in nodes if booked[node.id] > node.cpus}
