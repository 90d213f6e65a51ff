"""Jobs of the bench: which sessions, which network, which replays."""

from datetime import timedelta

import pytest

from smartcharging.replay.beliefs import Departures
from smartcharging.replay.bench import (
    Bench,
    Job,
    beside_optimum,
    chosen,
    jobs_of,
    network_name,
    network_of,
    run,
    truth_won_back_percent,
    won_back_percent,
)
from smartcharging.replay.figures import Figures
from smartcharging.replay.loaders import load
from smartcharging.replay.sessions import Loaded
from tests.smartcharging.replay.made import MIDNIGHT, session

DAILY = Loaded(sessions=tuple(session(n, at_h=24 * n + 8) for n in range(10)), source="test")


def numbers(loaded):
    return [int(one.session_id[1:]) for one in loaded.sessions]


@pytest.mark.parametrize(
    ("start", "end", "days", "replayed", "before"),
    [
        (None, None, None, range(10), range(0)),
        (None, None, 2, range(7, 10), range(7)),
        (None, 5, 2, range(3, 5), range(3)),
        (4, None, 2, range(4, 6), range(4)),
        (4, 8, None, range(4, 8), range(4)),
    ],
)
def test_a_window_of_days_has_its_history_before_it(start, end, days, replayed, before):
    def moment(day):
        return None if day is None else MIDNIGHT + timedelta(days=day)

    window, history = chosen(DAILY, moment(start), moment(end), days)
    assert (numbers(window), numbers(history)) == (list(replayed), list(before))


@pytest.mark.parametrize(
    ("stations", "name"),
    [(("CA-148", "x"), "caltech"), (("AG-1F01",), "jpl"), (("01", "02"), "office"), (("x",), "caltech")],
)
def test_the_network_is_that_which_knows_the_stations(stations, name):
    assert network_name([session(station=station) for station in stations]) == name


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="caltech, jpl, office, single"):
        network_name([], "moon")


def test_a_single_limit_needs_no_network():
    bench = Bench(sessions=tuple(session(n, station=f"s{n}") for n in range(3)), network="single")
    network = network_of(bench, 20.8)
    assert (network.evses, network.limits.tolist()) == (("s0", "s1", "s2"), [pytest.approx(100)])


def test_jobs_are_the_optimum_and_each_allocator_of_each_kind():
    jobs = jobs_of([20.0], [Departures.TRUE, Departures.FORECAST], ["edf"], with_referee=True)
    assert [(job.allocator, job.departures.value) for job in jobs] == [
        ("optimum", "true"),
        ("edf", "true"),
        ("acn-edf", "true"),
        ("acn-llf", "true"),
        ("acn-round-robin", "true"),
        ("edf", "forecast"),
    ]


@pytest.mark.parametrize("caps", [[], [0.0], [-1.0], [float("nan")], [float("inf")]])
def test_a_cap_that_is_none_is_refused(caps):
    with pytest.raises(ValueError, match="above 0"):
        jobs_of(caps, [Departures.TRUE], ["edf"], with_referee=False)


def test_an_unknown_allocator_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'magic'.*max-min"):
        jobs_of([20.0], [Departures.TRUE], ["magic"], with_referee=False)


def test_every_kind_of_job_runs():
    bench = Bench(sessions=load().sessions[60:80], history=load().sessions[:60])
    kinds = [Departures.TRUE, Departures.ESTIMATED, Departures.FORECAST, Departures.HISTORY]
    found = [run(bench, job) for job in jobs_of([20.0], kinds, ["edf"], with_referee=False)]
    assert [one.departures for one in beside_optimum(found)] == [kind.value for kind in kinds]
    assert all(70 < one.energy_of_optimum_percent <= 100 for one in beside_optimum(found))


def test_a_job_tells_how_far_it_is():
    heard = []
    run(Bench(sessions=load().sessions[:20]), Job(cap_kw=20.0, allocator="fcfs"), heard.append)
    assert heard


def figures(allocator, departures, delivered_kwh):
    return Figures(
        allocator=allocator,
        cap_kw=20.0,
        departures=departures.value,
        sessions=10,
        requested_kwh=200.0,
        delivered_kwh=delivered_kwh,
        served=5,
        changes=0,
        ev_hours=1.0,
        optimum_kwh=100.0,
        optimum_served=10,
    )


def test_won_back_is_the_share_of_what_edf_loses_to_the_optimum_under_estimates():
    found = [
        figures("edf", Departures.ESTIMATED, 90.0),
        figures("narke", Departures.FORECAST, 95.0),
        figures("fcfs", Departures.TRUE, 88.0),
    ]
    assert won_back_percent(found, 20.0, "edf", Departures.ESTIMATED) == 0
    assert won_back_percent(found, 20.0, "narke", Departures.FORECAST) == pytest.approx(50)
    assert won_back_percent(found, 20.0, "fcfs", Departures.TRUE) == pytest.approx(-20)
    assert won_back_percent(found, 20.0, "llf", Departures.TRUE) is None
    assert won_back_percent(found, 30.0, "edf", Departures.ESTIMATED) is None


def test_won_back_may_be_reckoned_from_the_referee_s_edf():
    found = [figures("acn-edf", Departures.ESTIMATED, 80.0), figures("narke", Departures.FORECAST, 95.0)]
    assert won_back_percent(found, 20.0, "narke", Departures.FORECAST, edf="acn-edf") == pytest.approx(75)


def test_what_estimates_cost_is_reckoned_from_the_same_allocator_told_the_truth():
    found = [
        figures("edf", Departures.TRUE, 94.0),
        figures("edf", Departures.ESTIMATED, 90.0),
        figures("narke", Departures.FORECAST, 93.0),
    ]
    assert truth_won_back_percent(found, 20.0, "narke", Departures.FORECAST) == pytest.approx(75)
    assert truth_won_back_percent(found[1:], 20.0, "narke", Departures.FORECAST) is None
