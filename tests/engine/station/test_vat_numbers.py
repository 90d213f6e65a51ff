"""VAT numbers: forms and check digits. The good ones are of public bodies or the countries' own examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.station.vat_numbers import normal_form, objection

GOOD = [
    "ATU13585627",
    "BE0428759497",
    "CHE107787577IVA",
    "DE136695976",
    "DK13585628",
    "EL094259216",
    "ESB58378431",
    "FI20774740",
    "FR40303265045",
    "GB980780684",
    "IT00743110157",
    "LU15027442",
    "NL004495445B01",
    "NL123456789B13",
    "NO995525828MVA",
    "PL8567346215",
    "PT501964843",
    "SE123456789701",
    "SI50223054",
    "SK2022749619",
]


@pytest.mark.parametrize("number", GOOD)
def test_a_good_number_is_one(number):
    assert objection(number) is None


@pytest.mark.parametrize(
    "number",
    [
        "ATU13585626",
        "BE0428759498",
        "DE136695975",
        "DK13585629",
        "FI20774741",
        "FR41303265045",
        "IT00743110158",
        "LU15027443",
        "NL004495446B01",
        "NO995525829MVA",
        "PL8567346216",
        "PT501964842",
        "SE123456789601",
        "SI50223055",
        "SK2022749618",
        "CHE107787578",
    ],
)
def test_a_wrong_digit_is_found(number):
    assert "check digits" in objection(number)


@pytest.mark.parametrize("number", ["DE12345678", "DE1234567890", "ATX13585627", "PT50196484", "FRIO303265045"])
def test_another_form_is_no_number(number):
    assert "does not look like this" in objection(number)


@pytest.mark.parametrize("number", ["", "X", "US123456789", "ZZ1", "12"])
def test_a_country_that_is_not_known_is_said(number):
    assert "country" in objection(number)


def test_what_people_write_between_digits_does_not_count():
    assert normal_form("de 136.695-976") == "DE136695976"
    assert objection("DE 136.695.976") is None


@given(st.text(max_size=20))
def test_any_text_is_judged(text):
    assert objection(text) is None or isinstance(objection(text), str)


@given(st.sampled_from(GOOD), st.text(alphabet="0123456789ABU", max_size=12))
def test_any_text_after_a_country_is_judged(number, rest):
    objection(number[:2] + rest)
