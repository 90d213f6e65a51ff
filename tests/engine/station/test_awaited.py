"""What is remembered of follow-ups and of places on their way; what is decided by it is in test_follow_ups."""

from datetime import timedelta

import pytest

from engine.model.availability import AvailabilityReached, AvailabilityWanted
from engine.model.ids import EvseRef
from engine.model.remote_control import FollowUp, FollowUpAwaited, FollowUpCame, FollowUpMissing
from engine.station.awaited import PLACES_MAX, Awaited, Place, Service
from tests.engine.station.conftest import START


def awaited(command_id="a", seconds=None):
    due_at = None if seconds is None else START + timedelta(seconds=seconds)
    return FollowUpAwaited(command_id=command_id, what=FollowUp.BOOT, noted_at=START, due_at=due_at)


def test_the_first_that_is_due_counts_and_what_has_no_time_never_is():
    items = Awaited().after(awaited("a", 9)).after(awaited("b", 5)).after(awaited("c"))
    assert items.due_at == START + timedelta(seconds=5)
    assert Awaited().after(awaited("c")).due_at is None
    assert Awaited().due_at is None


@pytest.mark.parametrize("over", [FollowUpCame, FollowUpMissing])
def test_what_came_or_was_given_up_is_forgotten(over):
    items = Awaited().after(awaited("a")).after(awaited("b"))
    assert items.after(over(command_id="a", what=FollowUp.BOOT, noted_at=START)) == Awaited((awaited("b"),))


def wanted(evse, *, operative=False, status="Accepted"):
    return AvailabilityWanted(evse=evse, operative=operative, status=status, at=START)


def test_a_place_is_on_its_way_until_it_is_reached():
    service = Service().after(wanted(EvseRef(1))).after(wanted(EvseRef(1), operative=True))
    assert service == Service((Place(1, None, operative=True),))
    assert service.after(AvailabilityReached(EvseRef(1), operative=True, noted_at=START)) == Service()


def test_a_refused_change_is_on_no_way():
    assert Service().after(wanted(EvseRef(1), status="Rejected")) == Service()


def test_places_are_bounded():
    service = Service()
    for number in range(PLACES_MAX + 9):
        service = service.after(wanted(EvseRef(number)))
    assert len(service.changing) == PLACES_MAX


@pytest.mark.parametrize(
    ("place", "at", "holds"),
    [
        (Place(0, None, operative=False), EvseRef(3, 1), True),
        (Place(3, None, operative=False), EvseRef(3, 1), True),
        (Place(3, 1, operative=False), EvseRef(3, 1), True),
        (Place(3, 1, operative=False), EvseRef(3, 2), False),
        (Place(2, None, operative=False), EvseRef(3, 1), False),
    ],
)
def test_a_place_holds_what_is_within_it(place, at, holds):
    assert place.holds(at) is holds
