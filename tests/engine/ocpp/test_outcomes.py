"""What answers to our calls mean."""

import pytest

from engine.model.commands import Outcome, Result
from engine.ocpp import outcomes
from engine.ocpp.versions import Version


@pytest.mark.parametrize("status", ["Accepted", "Scheduled", "Unlocked", "RebootRequired", "AcceptedCanceled", None])
def test_words_for_yes_and_answers_without_status_are_accepted(status):
    assert outcomes.from_status(status, {}).result is Result.ACCEPTED


@pytest.mark.parametrize("status", ["Rejected", "NotSupported", "UnlockFailed", "Unknown", "Occupied", "", "NotFound"])
def test_every_other_word_is_a_no(status):
    assert outcomes.from_status(status, {}).result is Result.REFUSED


def test_the_answer_is_kept_and_its_status_info_told():
    payload = {"status": "Rejected", "statusInfo": {"reasonCode": "Busy", "additionalInfo": "charging"}}
    expected = Outcome(
        result=Result.REFUSED,
        status="Rejected",
        detail="Busy: charging",
        payload=b'{"status":"Rejected","statusInfo":{"reasonCode":"Busy","additionalInfo":"charging"}}',
    )
    assert outcomes.from_status_field(payload, Version.V201) == expected


def test_an_action_can_have_words_of_its_own_for_yes():
    read = outcomes.reader_accepting("NotFound")
    assert read({"status": "NotFound"}, Version.V16).result is Result.ACCEPTED
    assert read({"status": "Rejected"}, Version.V16).result is Result.REFUSED
