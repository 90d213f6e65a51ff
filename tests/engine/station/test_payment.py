"""Settlements, receipts and VAT numbers."""

from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token
from engine.model.ids import EvseRef
from engine.model.payment import (
    Company,
    SettlementAnswer,
    SettlementRecorded,
    SettlementReported,
    SettlementStatus,
    VatNumberAnswer,
    VatNumberChecked,
    VatNumberPresented,
)
from engine.model.transactions import Stage, TransactionReported
from engine.station.policy import AuthorizationPolicy, Policy

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
WHERE = "https://pay.example/{station}/{transaction}/{receipt}"
COMPANY = Company("Acme GmbH", "Ring 1", "Berlin", "DE")


def settled(status=SettlementStatus.SETTLED, **more):
    return SettlementReported(reference="psp-1", status=status, amount=12.5, transaction_id="t 1", **more)


@pytest.fixture
def ready(make_actor):
    def of(**policy):
        actor = make_actor(policy=Policy(authorization=AuthorizationPolicy(**policy)))
        actor.connect()
        actor.boot()
        return actor

    return of


def test_C21_FR_03_a_settled_payment_gets_our_receipt_the_same_each_time(ready):
    actor = ready(receipt_url=WHERE)
    first = actor.says(settled(), message_id="a")
    assert first.receipt_url == f"https://pay.example/CP-1/t%201/{first.receipt_id}"
    assert actor.says(settled(), message_id="b") == first
    recorded = actor.of(SettlementRecorded)[0]
    assert (recorded.receipt_id, recorded.receipt_url) == (first.receipt_id, first.receipt_url)


def test_C21_FR_04_a_station_with_a_receipt_of_its_own_gets_none(ready):
    actor = ready(receipt_url=WHERE)
    assert actor.says(settled(receipt_id="r", receipt_url="https://x/r")) == SettlementAnswer()
    assert actor.of(SettlementRecorded)[0].receipt_url == "https://x/r"


@pytest.mark.parametrize("status", [SettlementStatus.CANCELED, SettlementStatus.REJECTED, SettlementStatus.FAILED])
def test_C22_FR_01_a_payment_that_was_not_settled_is_recorded_and_has_no_receipt(ready, status):
    actor = ready(receipt_url=WHERE)
    assert actor.says(settled(status)) == SettlementAnswer()
    assert actor.of(SettlementRecorded)[0].settlement.status is status


def test_a_settlement_of_a_transaction_that_nobody_knows_is_flagged(ready):
    actor = ready()
    assert actor.says(settled()) == SettlementAnswer()
    assert actor.of(SettlementRecorded)[0].unknown_transaction
    actor.says(
        TransactionReported(
            stage=Stage.STARTED,
            transaction_id="t 1",
            at=START,
            evse=EvseRef(1, 1),
            token=Token("psp-1", "DirectPayment"),
            sequence=0,
            trigger="Authorized",
        )
    )
    actor.says(settled())
    assert not actor.of(SettlementRecorded)[1].unknown_transaction


def test_C18_FR_09_a_vat_number_is_valid_if_it_can_be_one_and_its_company_is_ours_to_know(ready):
    actor = ready(vat_companies={"DE136695976": COMPANY})
    assert actor.says(VatNumberPresented("de 136.695.976", 2)) == VatNumberAnswer(
        "de 136.695.976", valid=True, evse=2, company=COMPANY
    )
    wrong = actor.says(VatNumberPresented("DE136695977"))
    assert (wrong.valid, wrong.company) == (False, None)
    assert "check digits" in wrong.reason
    assert [fact.valid for fact in actor.of(VatNumberChecked)] == [True, False]
