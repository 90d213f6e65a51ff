"""Names of stations."""

from loadtests.swarm.identities import Identities
from loadtests.swarm.options import IDENTITY_CHARACTERS_MAX, PREFIX_CHARACTERS_MAX


def test_no_two_stations_share_a_name_over_versions_and_workers():
    swarms = [Identities("SWARM", worker) for worker in range(3)]
    names = [one.take(version)[0] for one in swarms for version in ("1.6", "2.0.1", "2.1") for _ in range(50)]
    assert len(set(names)) == len(names)


def test_a_later_run_has_the_same_names():
    assert Identities("S", 1).take("2.0.1") == Identities("S", 1).take("2.0.1") == ("S-201-1-00001", 1)


def test_a_freed_name_is_given_again_to_the_same_version_only():
    names = Identities("S", 0)
    first, number = names.take("1.6")
    names.take("1.6")
    names.give_back("1.6", number)
    assert names.take("2.1")[0] == "S-21-0-00001"
    assert names.take("1.6")[0] == first
    assert names.take("1.6")[0] == "S-16-0-00003"


def test_the_longest_name_is_an_ocpp_identity():
    names = Identities("X" * PREFIX_CHARACTERS_MAX, 9_999)
    names._next["2.0.1"] = 999_999
    assert len(names.take("2.0.1")[0]) <= IDENTITY_CHARACTERS_MAX
