"""The fleet of an audit against a small CSMS: it tells all before it goes, and says who could not."""

import asyncio
from dataclasses import replace

import pytest

from loadtests.audit.crowd import Crowd, options_of
from loadtests.audit.ledger import Ledger
from loadtests.audit.options import AuditError, AuditOptions
from tests.loadtests.scripted import SILENCE, Csms, Error

STATIONS = 6
OPTIONS = AuditOptions(stations=STATIONS, meter_interval_s=0.02)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite", {})
    yield ledger
    ledger.close()


def crowd_of(ledger, url):
    crowd = Crowd(replace(options_of(OPTIONS, url, "AUDIT"), connect_s=0.0), ledger)
    ledger._version_of = {station.identity: station.version for station in crowd.stations}
    return crowd


def stages(ledger, identities):
    ledger.finish()
    found = {}
    for station, event in ledger.events(identities):
        found.setdefault((station, event.transaction_id), []).append(event.stage)
    return found


async def test_who_leaves_has_stopped_what_it_started_and_lives(ledger):
    async with Csms() as csms:
        crowd = crowd_of(ledger, csms.url)
        await crowd.start()
        await csms.until(lambda: csms.all_of("StopTransaction"))
        farewell = await crowd.finish(30)
        assert (farewell.unfinished, farewell.dead) == ({}, {})
        assert (crowd.refusals(), crowd.stray_replies()) == ({}, 0)
        await crowd.leave()
    told = stages(ledger, crowd.identities)
    assert {station for station, _ in told} == set(crowd.identities)
    assert all(each[0] == "start" and each[-1] == "stop" and each.count("stop") == 1 for each in told.values())
    assert ledger.unsound == []


async def test_an_error_to_a_sound_call_is_told(ledger):
    async with Csms() as csms:
        csms.answers["Authorize"] = [Error("InternalError")]
        crowd = crowd_of(ledger, csms.url)
        await crowd.start()
        await csms.until(lambda: len(csms.all_of("Authorize")) >= STATIONS)
        await crowd.finish(30)
        assert sum(crowd.refusals().values()) == 1
        assert "Authorize: InternalError" in next(iter(crowd.refusals()))
        await crowd.leave()


async def test_who_gets_no_answer_any_more_is_dead(ledger, monkeypatch):
    monkeypatch.setattr(
        "loadtests.audit.crowd._PATIENCE",
        replace(options_of(OPTIONS, "ws://x/y", "A").habits.patience, answer_s_max=0.2),
    )
    async with Csms() as csms:
        crowd = crowd_of(ledger, csms.url)
        await crowd.start()
        csms.answers["Heartbeat"] = [SILENCE] * 1000
        farewell = await crowd.finish(0.5)
        assert farewell.dead.keys() == set(crowd.identities)
        await crowd.leave()


async def test_a_csms_that_accepts_nobody_ends_the_audit_before_anything_dies(ledger):
    crowd = crowd_of(ledger, "ws://127.0.0.1:9/ocpp")
    crowd.fleet.options = replace(crowd.fleet.options, connect_s_max=0.3)
    with pytest.raises(AuditError, match=r"the fleet ended.*127\.0\.0\.1:9|could not boot"):
        await asyncio.wait_for(crowd.start(), 30)
    await crowd.leave()


def test_a_fleet_that_cannot_be_is_refused_as_an_audit():
    with pytest.raises(AuditError, match="unknown OCPP version 9"):
        options_of(AuditOptions(versions=("9",)), "ws://x/ocpp", "AUDIT")
