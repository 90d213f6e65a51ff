"""The plan of kills."""

from collections import Counter

from loadtests.audit.options import VICTIMS
from loadtests.audit.plan import TOGETHER_MAX, planned


def test_the_same_seed_plans_the_same_and_another_does_not():
    assert planned(7, 600, 20, VICTIMS) == planned(7, 600, 20, VICTIMS) != planned(8, 600, 20, VICTIMS)


def test_there_is_one_strike_in_each_time_at_random():
    strikes = planned(3, 600, 20, VICTIMS)
    assert [int(strike.at_s // 20) for strike in strikes] == list(range(30))
    assert len({round(strike.at_s % 20) for strike in strikes}) > 5


def test_everybody_has_their_turn_before_anybody_comes_again():
    kinds = [victim.kind for strike in planned(5, 1800, 20, VICTIMS) for victim in strike.victims]
    counts = Counter(kinds)
    assert counts.keys() == set(VICTIMS)
    assert max(counts.values()) - min(counts.values()) <= TOGETHER_MAX
    assert set(kinds[: len(VICTIMS) + TOGETHER_MAX]) == set(VICTIMS)


def test_several_die_at_once_sometimes_and_never_one_twice():
    groups = [[victim.kind for victim in strike.victims] for strike in planned(1, 1800, 20, VICTIMS)]
    assert {len(group) for group in groups} == {1, 2, 3}
    assert all(len(group) == len(set(group)) for group in groups)


def test_one_kind_alone_is_planned_alone():
    assert {len(strike.victims) for strike in planned(1, 600, 20, ["redis"])} == {1}
