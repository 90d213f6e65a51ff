"""Payment in 2.1."""

from datetime import UTC, datetime

import pytest

from engine.model.payment import (
    Company,
    NotifyWebPaymentStarted,
    SettlementAnswer,
    SettlementReported,
    SettlementStatus,
    VatNumberAnswer,
    VatNumberPresented,
)
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

V21 = Version.V21
COMPANY = Company("Acme GmbH", "Ring 1", "Berlin", "DE", "2nd floor", "10115")
ADDRESS = {
    "name": "Acme GmbH",
    "address1": "Ring 1",
    "address2": "2nd floor",
    "city": "Berlin",
    "postalCode": "10115",
    "country": "DE",
}


def test_C21_FR_02_a_settlement_keeps_all_that_the_station_says():
    payload = {
        "pspRef": "psp-1",
        "status": "Settled",
        "settlementAmount": 12.5,
        "settlementTime": "2026-05-01T10:00:00Z",
        "transactionId": "t",
        "statusInfo": "fine",
        "receiptId": "r",
        "receiptUrl": "https://x/r",
        "vatNumber": "DE1",
        "vatCompany": ADDRESS,
    }
    assert catalogue.understand(V21, "NotifySettlement", payload).report == SettlementReported(
        reference="psp-1",
        status=SettlementStatus.SETTLED,
        amount=12.5,
        settled_at=datetime(2026, 5, 1, 10, 0, tzinfo=UTC),
        transaction_id="t",
        detail="fine",
        receipt_id="r",
        receipt_url="https://x/r",
        vat_number="DE1",
        vat_company=COMPANY,
    )


@pytest.mark.parametrize("word", ["Settled", "Canceled", "Rejected", "Failed"])
def test_C22_every_end_of_a_payment_is_understood(word, example):
    payload = example(V21, "NotifySettlement", "request") | {"status": word}
    assert catalogue.understand(V21, "NotifySettlement", payload).report.status == SettlementStatus(word)


def test_C21_FR_03_a_receipt_is_told_where_there_is_one():
    receipt = SettlementAnswer("r", "https://x/r")
    assert catalogue.answer_payload(V21, "NotifySettlement", SettlementAnswer()) == {}
    assert catalogue.answer_payload(V21, "NotifySettlement", receipt) == {
        "receiptId": "r",
        "receiptUrl": "https://x/r",
    }
    assert catalogue.answer_payload(V21, "NotifySettlement", SettlementAnswer("r", "x" * 2001)) == {"receiptId": "r"}


def test_C18_FR_10_a_vat_number_is_answered_with_its_evse():
    asked = catalogue.understand(V21, "VatNumberValidation", {"vatNumber": "DE1", "evseId": 2}).report
    assert asked == VatNumberPresented("DE1", 2)
    said = catalogue.answer_payload(V21, "VatNumberValidation", VatNumberAnswer("DE1", valid=True, evse=2))
    assert said == {"vatNumber": "DE1", "status": "Accepted", "evseId": 2}


def test_C18_FR_09_a_company_is_told_and_a_reason_of_a_no():
    valid = VatNumberAnswer("DE1", valid=True, company=COMPANY)
    assert catalogue.answer_payload(V21, "VatNumberValidation", valid)["company"] == ADDRESS
    wrong = VatNumberAnswer("DE1", valid=False, reason="check digits")
    assert catalogue.answer_payload(V21, "VatNumberValidation", wrong) == {
        "vatNumber": "DE1",
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidValue", "additionalInfo": "check digits"},
    }


def test_a_company_that_is_too_long_for_a_receipt_is_cut():
    long = VatNumberAnswer(
        "D", valid=True, company=Company("n" * 99, "a" * 199, "c" * 199, "x" * 99, "b" * 199, "p" * 99)
    )
    company = catalogue.answer_payload(V21, "VatNumberValidation", long)["company"]
    assert {name: len(text) for name, text in company.items()} == {
        "name": 50,
        "address1": 100,
        "address2": 100,
        "city": 100,
        "postalCode": 20,
        "country": 50,
    }


def test_C25_FR_21_a_web_payment_keeps_an_evse_in_2_1_alone():
    command = NotifyWebPaymentStarted(evse=2, timeout_s=90)
    assert catalogue.command_call(V21, command) == ("NotifyWebPaymentStarted", {"evseId": 2, "timeout": 90})
    for version in (Version.V201, Version.V16):
        with pytest.raises(NotExpressible):
            catalogue.command_call(version, command)
