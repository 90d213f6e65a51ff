"""Every node gets the station actors and ingresses that are its share."""

import pytest

from actors.runtime import Node
from actors.settings import ActorSettings
from deploy import shares

HOME, FAR, BIG = Node("a", "10.0.0.1", 2), Node("b", "10.0.0.2", 2), Node("c", "10.0.0.3", 8)
NONE: dict[str, int] = {}


def settings(**changed):
    return ActorSettings(**changed)


def test_there_is_a_station_actor_per_core_of_each_node():
    assert shares.station_actors(settings(), [HOME, FAR, BIG], NONE) == {"a": 2, "b": 2, "c": 8}


def test_zero_is_as_good_as_none():
    assert shares.station_actors(settings(station_actors=0), [HOME], NONE) == {"a": 2}


def test_the_cores_of_a_machine_count_where_ray_was_told_another_number():
    assert shares.station_actors(settings(), [HOME], {"a": 1}) == {"a": 1}


def test_there_are_no_more_station_actors_than_shards():
    assert shares.station_actors(settings(shards=4), [HOME, FAR, BIG], NONE) == {"a": 1, "b": 0, "c": 3}
    assert shares.station_actors(settings(shards=4, station_actors=9), [HOME], NONE) == {"a": 4}


def test_a_number_is_dealt_out_by_cores():
    assert shares.station_actors(settings(station_actors=6), [HOME, FAR, BIG], NONE) == {"a": 1, "b": 1, "c": 4}
    assert shares.station_actors(settings(station_actors=3), [HOME, FAR], NONE) == {"a": 2, "b": 1}


def test_a_node_that_joins_takes_nothing_from_the_others_in_automatic_mode():
    before = shares.station_actors(settings(), [HOME, FAR], NONE)
    assert shares.station_actors(settings(), [HOME, FAR, BIG], NONE) == before | {"c": 8}


def test_literal_mode_has_no_station_actors_in_advance():
    assert shares.station_actors(settings(stations_per_actor=1), [HOME, FAR], NONE) == {"a": 0, "b": 0}


def test_there_is_an_ingress_on_each_node():
    assert shares.ingresses(settings(), [HOME, FAR, BIG]) == {"a": 1, "b": 1, "c": 1}


def test_a_number_of_ingresses_is_dealt_out_evenly():
    assert shares.ingresses(settings(ingresses=4), [HOME, FAR, BIG]) == {"a": 2, "b": 1, "c": 1}
    assert shares.ingresses(settings(ingresses=1), [HOME, FAR, BIG]) == {"a": 1, "b": 0, "c": 0}


def test_reserved_cpus_leave_room_for_the_ingress():
    assert shares.station_actors(settings(actor_cpus=1), [HOME, BIG], NONE) == {"a": 1, "c": 7}
    assert shares.overbooked(settings(actor_cpus=1), [HOME, BIG]) == {}


def test_a_node_too_small_for_what_is_reserved_is_found():
    assert shares.overbooked(settings(actor_cpus=4), [HOME, BIG]) == {"a": 8.0}


@pytest.mark.parametrize(
    ("nodes", "used"),
    [
        ([FAR, HOME], ["a", "b"]),
        ([HOME, FAR._replace(draining=True)], ["a"]),
        ([HOME._replace(cpus=0), FAR], ["b"]),
        ([HOME._replace(cpus=0)], ["a"]),
        ([HOME._replace(draining=True)], ["a"]),
        ([HOME._replace(draining=True), FAR._replace(draining=True)], ["a"]),
    ],
    ids=["home first", "a draining one", "a head without CPUs", "nothing but that", "home drains", "all drain"],
)
def test_nodes_that_leave_or_offer_nothing_get_no_work_while_there_are_others(nodes, used):
    assert [node.id for node in shares.workers(nodes, "a")] == used
