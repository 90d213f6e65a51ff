"""Quirks by make: what stations cannot hold, known before they refuse it."""

import pytest

from engine.model.charging_profiles import ProfilePurpose, RateUnit
from engine.model.quirks import Make
from smartcharging.wire import SiteWire
from smartcharging.wire.capabilities import Ability, Refusal, Rung, Way
from smartcharging.wire.quirks import BadChargingQuirks, ChargingQuirk, ability_of, built_in, parse
from tests.smartcharging.wire.fleet import Bench, booted, connected, target


def quirk(**more):
    return ChargingQuirk(name="q", reason="r", source="s", **{"vendor": ("ACME*",), **more})


def test_those_that_come_with_narke_name_their_reason_and_source():
    assert built_in()
    for each in built_in():
        assert each.reason
        assert each.source.startswith("http")
        assert each.vendor or each.model
    assert len({each.name for each in built_in()}) == len(built_in())


def test_a_quirk_is_for_its_make_alone():
    one = quirk(model=("A*",), firmware=("1.*",))
    assert one.fits("x", Make("acme ag", "A1", "1.2"))
    assert not one.fits("x", Make("acme ag", "A1", "2.0"))
    assert not one.fits("x", Make("other", "A1", "1.2"))
    assert not one.fits("x", None)
    assert not quirk(vendor=()).fits("x", Make("any", "any"))
    assert quirk(vendor=(), stations=("CP*",)).fits("CP-1", None)


def test_what_a_station_says_counts_where_it_is_stricter():
    told = Ability(units=(RateUnit.A, RateUnit.W), periods_max=4)
    found = ability_of(told, "x", Make("ACME", "M"), (quirk(units=(RateUnit.W,), periods_max=10),))
    assert (found.units, found.periods_max) == ((RateUnit.W,), 4)


def test_all_that_a_quirk_can_say():
    every = quirk(
        refuses=("TxProfile", "Dynamic"), at_station=True, no_phases=True, keeps_profiles=True, update_s_min=30.0
    )
    found = ability_of(Ability(dynamic=True), "x", Make("ACME", "M"), (every,))
    assert Refusal(ProfilePurpose.TX, RateUnit.A) in found.refused
    assert (found.dynamic, found.at_station, found.phases_said, found.keeps_profiles) == (False, True, False, True)
    assert found.update_s_min == 30.0
    assert found.way(dc=False, alone=True) == Way(Rung.DEFAULT, RateUnit.A)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[quirk]", "mine.toml"),
        ('[[quirk]]\nname = "a"', "reason"),
        ('[[quirk]]\nname = "a"\nreason = "r"\nsource = "s"\nrefuses = ["Everything"]', "refuses"),
        ('[[quirk]]\nname = "a"\nreason = "r"\nsource = "s"\nperiods_max = 0', "periods_max"),
        ('[[quirk]]\nname = "a"\nreason = "r"\nsource = "s"\nfoo = 1', "foo"),
    ],
)
def test_a_table_that_is_wrong_says_where(text, words):
    with pytest.raises(BadChargingQuirks, match=words):
        parse(text, "mine.toml")


def test_a_quirk_saves_the_refusals():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.stations["CP0"].refuses = {ProfilePurpose.TX}
    bench.wire = SiteWire(bench.site, bench.network, bench.settings, quirks=(quirk(refuses=("TxProfile",)),))
    connected(bench.wire, "CP0", bench.now)
    booted(bench.wire, "CP0", bench.now, vendor="ACME")
    bench.plug_in(0)
    bench.want(target(0, 16.0, bench.now))
    assert [order.command.profile.purpose for order in bench.run()] == [ProfilePurpose.TX_DEFAULT]
    assert bench.may_draw_a(0) == 16.0


def test_profiles_at_the_station_where_a_make_takes_no_others():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.wire = SiteWire(bench.site, bench.network, bench.settings, quirks=(quirk(at_station=True),))
    connected(bench.wire, "CP0", bench.now)
    booted(bench.wire, "CP0", bench.now, vendor="ACME")
    assert [order.command.evse for order in bench.run()] == [0]
    assert bench.wire.held_a(bench.now) == {"e0": 6.0}


def test_a_make_that_keeps_its_profiles_is_believed_after_a_boot():
    bench = Bench(1, 60.0, idle_a=6.0)
    bench.wire = SiteWire(bench.site, bench.network, bench.settings, quirks=(quirk(keeps_profiles=True),))
    connected(bench.wire, "CP0", bench.now)
    booted(bench.wire, "CP0", bench.now, vendor="ACME")
    bench.run()
    booted(bench.wire, "CP0", bench.now, vendor="ACME")
    assert bench.wire.held_a(bench.now) == {"e0": 6.0}
    assert len(bench.run()) == 1  # told again all the same
