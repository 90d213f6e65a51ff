"""The machine: what it is, and whether it allows so many sockets."""

import resource

import pytest

from loadtests.bench import machine


@pytest.fixture
def bounds(monkeypatch):
    """What the process may open, (soft, hard), and what it asked for."""
    state = {"now": (1_024, 20_000)}
    monkeypatch.setattr(resource, "getrlimit", lambda _what: state["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _what, bounds: state.update(now=bounds))
    return state


def test_a_soft_bound_is_raised(bounds):
    machine.allow_files(10_000)
    assert bounds["now"] == (10_500, 20_000)


def test_a_bound_that_is_enough_stays(bounds):
    machine.allow_files(500)
    assert bounds["now"] == (1_024, 20_000)


def test_too_low_a_hard_bound_says_how_many_stations_it_is_enough_for(bounds):
    bounds["now"] = (1_024, 4_096)
    with pytest.raises(machine.TooFewFiles, match=r"10000 stations need 10500 .* may open 4096, .* 3596 stations"):
        machine.allow_files(10_000)


@pytest.mark.parametrize("unbounded", [(resource.RLIM_INFINITY,) * 2, (1_024, resource.RLIM_INFINITY)])
def test_no_hard_bound_is_no_obstacle(bounds, unbounded):
    bounds["now"] = unbounded
    machine.allow_files(100_000)
    assert bounds["now"][0] in {resource.RLIM_INFINITY, 100_500}


def test_a_busy_machine_is_warned_of():
    assert machine.busy({"cores": 2, "load_average_at_start": [0.9, 9.0, 9.0]}) is None
    assert "load average 1.0 on 2 cores" in machine.busy({"cores": 2, "load_average_at_start": [1.0, 0.0, 0.0]})


def test_the_machine_describes_itself():
    told = machine.described()
    assert told["cores"] >= 1
    assert told["memory_gib"] > 0
    assert len(told["load_average_at_start"]) == 3


def test_versions_leave_out_what_is_not_installed():
    assert machine.versions(("uvloop", "no-such-package")).keys() == {"uvloop"}
