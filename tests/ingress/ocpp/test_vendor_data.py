"""Vendors' own handlers of DataTransfer: found by entry points, asked before anything is decided, never trusted."""

import asyncio
from importlib.metadata import EntryPoint

import pytest

from engine.model.data_transfer import DataAnswer, DataReported
from ingress.ocpp import vendor_data
from ingress.ocpp.consultation import Consultation
from ingress.ocpp.vendor_data import REJECTED, VendorData


class Acme:
    """Answers what it is told."""

    vendor_id = "com.acme"
    message_ids = frozenset({"hello", "late", "bug", "odd", "long"})

    def __init__(self):
        self.heard = []

    async def transfer(self, station, message_id, data):
        self.heard.append((station, message_id, data))
        match message_id:
            case "late":
                await asyncio.sleep(60)
            case "bug":
                raise RuntimeError("a bug of theirs")
            case "odd":
                return "Perhaps", None
            case "long":
                return "Accepted", "x" * 70_000
        return "Accepted", {"you said": data}


class Any(Acme):
    vendor_id = "com.any"
    message_ids = None


def broken():
    raise ImportError("not installed right")


@pytest.fixture
def acme():
    return Acme()


async def consulted(handler, report, *, wait_s_max=5.0, under_way_max=10):
    """The report as it goes on to the decider; None: at once, unchanged."""
    consultation = Consultation(
        None, wait_s_max=wait_s_max, under_way_max=under_way_max, vendors=VendorData([handler, Any()])
    )
    after = asyncio.get_running_loop().create_future()
    if not consultation.begin("CP-1", report, after.set_result):
        return None
    return await after


async def test_P02_a_handler_is_asked_and_its_word_is_the_answer(acme):
    report = await consulted(acme, DataReported("com.acme", "hello", b'{"a":1}'))
    assert report.finding == DataAnswer("Accepted", b'{"you said":{"a":1}}')
    assert acme.heard == [("CP-1", "hello", {"a": 1})]


async def test_names_of_vendors_know_no_case(acme):
    assert (await consulted(acme, DataReported("COM.Acme", "hello"))).finding.status == "Accepted"


async def test_P02_FR_06_a_vendor_without_a_handler_is_not_asked_about(acme):
    assert await consulted(acme, DataReported("com.other", "hello")) is None


@pytest.mark.parametrize("message_id", [None, "goodbye"])
async def test_P02_FR_07_a_message_that_the_handler_does_not_know_is_told_so(acme, message_id):
    report = await consulted(acme, DataReported("com.acme", message_id))
    assert report.finding == DataAnswer("UnknownMessageId")
    assert acme.heard == []


async def test_a_handler_may_take_any_message(acme):
    assert (await consulted(acme, DataReported("com.any"))).finding.status == "Accepted"


@pytest.mark.parametrize("message_id", ["bug", "odd", "long"])
async def test_what_cannot_be_told_is_a_no(acme, message_id):
    assert (await consulted(acme, DataReported("com.acme", message_id))).finding == REJECTED


async def test_an_answer_that_comes_too_late_is_a_no(acme):
    assert (await consulted(acme, DataReported("com.acme", "late"), wait_s_max=0.01)).finding == REJECTED


async def test_too_many_at_once_are_a_no(acme):
    assert (await consulted(acme, DataReported("com.acme", "hello"), under_way_max=0)).finding == REJECTED


def test_handlers_are_found_by_entry_points_and_one_that_does_not_load_is_left_out():
    points = [
        EntryPoint("acme", f"{__name__}:Acme", vendor_data.GROUP),
        EntryPoint("broken", f"{__name__}:broken", vendor_data.GROUP),
        EntryPoint("nowhere", "no_such_module:Handler", vendor_data.GROUP),
    ]
    found = vendor_data.installed([_Loaded(points[0], Acme), _Loaded(points[1], broken), points[2]])
    assert found.vendors == ("com.acme",)


class _Loaded:
    """An entry point whose module is this one, which tests import under a name of their own."""

    def __init__(self, point, made):
        self.name, self.value, self._made = point.name, point.value, made

    def load(self):
        return self._made


def test_without_handlers_nobody_is_asked():
    assert vendor_data.installed([]).vendors == ()
