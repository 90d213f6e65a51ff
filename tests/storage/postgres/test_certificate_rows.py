"""Rows of certificates and of security events, alike in both twins."""

from datetime import timedelta

import pytest

from engine.model.certificates import (
    CertificateDeleted,
    CertificateHash,
    CertificateInstalled,
    CertificateUse,
    HashAlgorithm,
    InstalledCertificate,
    InstalledListed,
    SigningDecided,
    SigningDecision,
    SigningFinding,
    SigningRequested,
    SigningSettled,
    SigningUse,
)
from engine.model.commands import CommandSent
from engine.model.facts import JournalEntry, OperatorEntry, StationFacts
from engine.model.security import SecurityEventRecorded, SecurityEventReported
from storage.blocks.certificates import CERTIFICATE_REQUESTS, INSTALLED_CERTIFICATES, INSTALLED_ROOTS
from storage.blocks.security import SECURITY_EVENTS
from storage.journal_reader import StreamEntry
from storage.keys import OPERATOR
from storage.queries import EventFilter, Page
from tests.storage.postgres.stories import at

ALL = Page(limit=100)
LATER = at(0) + timedelta(days=365)
SIGNED = SigningFinding(SigningDecision.SIGNED, chain="PEM", serial_number="1f", expires_at=LATER)
ASKED = SigningFinding(SigningDecision.ASKED, detail="waits")
ROOT = CertificateHash(HashAlgorithm.SHA256, "AA", "bb", "01f")
OTHER = CertificateHash(HashAlgorithm.SHA256, "AA", "bb", "2")


@pytest.fixture
async def tell(projection):
    await projection.positions()
    count = {"s0": 0, OPERATOR: 0}

    async def tell(*facts, station="CP-1"):
        for fact in facts:
            if isinstance(fact, SigningDecided):
                stream = OPERATOR
                entry = OperatorEntry(tenant="default", recorded_at=at(0), facts=(fact,))
            else:
                stream = "s0"
                entry = JournalEntry(tenant="default", recorded_at=at(0), records=(StationFacts(station, (fact,)),))
            count[stream] += 1
            await projection.apply([StreamEntry(stream, f"{count[stream]}-0", entry)])
        return projection

    return tell


def requested(finding=SIGNED, second=0, **more):
    return SigningRequested(request="r", csr="CSR", finding=finding, at=at(second), **more)


def settled(*, accepted=False, status=None, again=False):
    return SigningSettled(request="r", accepted=accepted, noted_at=at(5), status=status, again=again)


async def row(projection):
    page = await projection.block(CERTIFICATE_REQUESTS, {"station": "CP-1"}, ALL)
    assert len(page.rows) == 1
    return page.rows[0]


async def test_a_request_is_a_row_from_asking_to_the_stations_word(tell):
    projection = await tell(requested(use=SigningUse.V2G, number=7))
    found = await row(projection)
    assert (found.state, found.certificate_type, found.request_id) == ("signed", "V2GCertificate", 7)
    assert (found.csr, found.chain, found.serial_number, found.expires_at) == ("CSR", "PEM", "1f", LATER)
    await tell(settled(accepted=True, status="Accepted"))
    found = await row(projection)
    assert (found.state, found.status, found.settled_at, found.chain) == ("accepted", "Accepted", at(5), "PEM")


@pytest.mark.parametrize(
    ("fact", "state"),
    [
        (settled(status="Rejected"), "rejected"),
        (settled(), "failed"),
        (settled(again=True), "signed"),
    ],
)
async def test_what_the_station_says_or_does_not_say_is_the_state(tell, fact, state):
    assert (await row(await tell(requested(), fact))).state == state


async def test_the_operators_word_changes_the_row(tell):
    projection = await tell(
        requested(ASKED), SigningDecided(station="CP-1", request="r", finding=SIGNED, at=at(3), by="anna")
    )
    found = await row(projection)
    assert (found.state, found.decided_by, found.decided_at, found.asked_at) == ("signed", "anna", at(3), at(0))
    refused = SigningFinding(SigningDecision.REFUSED, detail="no")
    await tell(SigningDecided(station="CP-1", request="r", finding=refused, at=at(4), by="bert"))
    found = await row(projection)
    assert (found.state, found.detail, found.chain) == ("refused", "no", None)


async def test_a_repeat_is_the_same_row(tell):
    assert (await row(await tell(requested(ASKED), requested(SIGNED, second=60)))).asked_at == at(60)


async def test_a_certificate_that_went_out_is_sent_and_other_commands_change_nothing(tell):
    name = "0" * 32
    request = SigningRequested(request=name, csr="CSR", finding=SIGNED, at=at(0))
    projection = await tell(
        request, CommandSent(f"sign:{name}:0@CP-1", "s", at(1), at(2)), CommandSent("c-7", "s", at(1), at(2))
    )
    assert (await row(projection)).state == "sent"


async def test_a_certificate_that_nobody_asked_for_makes_no_row(tell):
    projection = await tell(SigningSettled(request="", accepted=True, noted_at=at(1)))
    assert (await projection.block(CERTIFICATE_REQUESTS, {}, ALL)).rows == ()


async def test_what_a_station_lists_replaces_what_it_had_of_those_uses(tell):
    mo = InstalledCertificate(CertificateUse.MO_ROOT, ROOT)
    chain = InstalledCertificate(CertificateUse.V2G_CHAIN, ROOT, (OTHER,))
    csms = InstalledCertificate(CertificateUse.CSMS_ROOT, OTHER)
    projection = await tell(
        InstalledListed(uses=(), certificates=(mo, chain, csms), at=at(1)),
        InstalledListed(uses=(CertificateUse.CSMS_ROOT,), certificates=(), at=at(2)),
    )
    rows = (await projection.block(INSTALLED_CERTIFICATES, {"station": "CP-1"}, ALL)).rows
    assert [(each.use, each.serial_number, each.parent) for each in rows] == [
        ("MORootCertificate", "01f", None),
        ("V2GCertificateChain", "01f", None),
        ("V2GCertificateChain", "2", "01f"),
    ]
    await tell(InstalledListed(uses=(), certificates=(), at=at(3)))
    assert (await projection.block(INSTALLED_CERTIFICATES, {}, ALL)).rows == ()


async def test_a_deleted_certificate_is_gone_from_both_tables(tell):
    fact = CertificateInstalled(
        use=CertificateUse.CSMS_ROOT, certificate="PEM", serial_number="1f", subject="CN=R", expires_at=LATER, at=at(1)
    )
    listed = InstalledListed(uses=(), certificates=(InstalledCertificate(CertificateUse.CSMS_ROOT, ROOT),), at=at(2))
    projection = await tell(fact, listed)
    [root] = (await projection.block(INSTALLED_ROOTS, {"station": "CP-1"}, ALL)).rows
    assert (root.subject, root.expires_at, root.installed_at) == ("CN=R", LATER, at(1))
    await tell(CertificateDeleted(certificate=ROOT, at=at(3)))
    for table in (INSTALLED_ROOTS, INSTALLED_CERTIFICATES):
        assert (await projection.block(table, {}, ALL)).rows == ()


async def test_A04_security_events_are_listed_newest_first_and_stand_in_the_history(tell):
    projection = await tell(
        SecurityEventRecorded(report=SecurityEventReported("ResetOrReboot", at(-60)), at=at(1), critical=True),
        SecurityEventRecorded(report=SecurityEventReported("Acme.Lid", detail="open"), at=at(2)),
    )
    rows = (await projection.block(SECURITY_EVENTS, {}, ALL)).rows
    assert [(each.type, each.occurred_at, each.critical, each.detail) for each in rows] == [
        ("Acme.Lid", at(2), None, "open"),
        ("ResetOrReboot", at(-60), True, None),
    ]
    critical = (await projection.block(SECURITY_EVENTS, {"critical": True}, ALL)).rows
    assert [each.type for each in critical] == ["ResetOrReboot"]
    events = (await projection.events(EventFilter(station="CP-1", kind="security_event_recorded"), ALL)).rows
    assert [event.data["report"]["type"] for event in events] == ["Acme.Lid", "ResetOrReboot"]
