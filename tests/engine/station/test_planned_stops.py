"""Planned stops: bounded, one per transaction."""

from datetime import UTC, datetime, timedelta

from engine.model.authorization import StopDropped, StopPlanned
from engine.station.planned_stops import STOPS_MAX, PlannedStops

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def planned(name, after_s=30):
    return StopPlanned(name, START + timedelta(seconds=after_s), START)


def test_the_next_one_is_due_first():
    stops = PlannedStops().after(planned("a", 60)).after(planned("b", 30))
    assert stops.due_at == START + timedelta(seconds=30)
    assert PlannedStops().due_at is None


def test_a_transaction_is_in_it_once_and_a_dropped_one_is_not():
    stops = PlannedStops().after(planned("a", 60)).after(planned("a", 30))
    assert [stop.transaction_id for stop in stops.stops] == ["a"]
    assert stops.after(StopDropped("a", START)) == PlannedStops()
    assert stops.after(StopDropped("b", START)) == stops


def test_beyond_the_bound_the_oldest_is_let_go():
    stops = PlannedStops()
    for number in range(STOPS_MAX + 1):
        stops = stops.after(planned(str(number)))
    assert len(stops.stops) == STOPS_MAX
    assert stops.find("0") is None
