"""Error codes and their spellings."""

import pytest

from engine.ocpp.errors import ErrorCode, code_from_text, code_text
from engine.ocpp.versions import Version

CODES_16 = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}


def test_a_16_station_only_ever_gets_the_ten_codes_that_it_knows():
    assert {code_text(code, Version.V16) for code in ErrorCode} == CODES_16


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_2x_has_two_rs_and_format(version):
    assert code_text(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, version) == "OccurrenceConstraintViolation"
    assert code_text(ErrorCode.FORMAT_VIOLATION, version) == "FormatViolation"


@pytest.mark.parametrize("text", ["OccurenceConstraintViolation", "OccurrenceConstraintViolation"])
def test_every_spelling_is_understood(text):
    assert code_from_text(text) is ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION


def test_a_word_of_a_stations_own_is_no_code():
    assert code_from_text("OutOfCoffee") is None
