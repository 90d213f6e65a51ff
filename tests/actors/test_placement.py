"""Rendezvous hashing moves no more than it must."""

from collections import Counter

from actors.placement import owner

UNITS = [f"s{number}" for number in range(1024)]


def test_every_unit_has_the_same_owner_on_every_machine():
    assert [owner(unit, ["a", "b", "c"]) for unit in UNITS[:8]] == [owner(unit, ["c", "a", "b"]) for unit in UNITS[:8]]


def test_only_the_units_of_a_dead_actor_move():
    before = {unit: owner(unit, ["a", "b", "c"]) for unit in UNITS}
    after = {unit: owner(unit, ["a", "c"]) for unit in UNITS}
    assert {unit for unit in UNITS if before[unit] != after[unit]} == {u for u in UNITS if before[u] == "b"}


def test_who_joins_takes_its_share_and_nothing_moves_between_the_others():
    before = {unit: owner(unit, ["a", "b"]) for unit in UNITS}
    after = {unit: owner(unit, ["a", "b", "c"]) for unit in UNITS}
    moved = {unit for unit in UNITS if before[unit] != after[unit]}
    assert {after[unit] for unit in moved} == {"c"}
    assert 200 < len(moved) < 500


def test_units_are_spread_evenly():
    shares = Counter(owner(unit, ["a", "b", "c", "d"]) for unit in UNITS)
    assert min(shares.values()) > 200


def test_nobody_owns_anything_when_nobody_lives():
    assert owner("s1", []) is None
