"""The fuzzing in one process: nothing happens that is not documented, and what is planted is found."""

import pytest

from actors import turn
from deploy import fuzzing
from deploy.fuzzing import FAILURES_MAX, documented_codes, fuzz
from engine.ocpp import catalogue
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.versions import Version
from loadtests.fuzz.mutations import OF_FRAMES, OF_TEXTS, OF_VALUES

FRAMES = 6_000


@pytest.mark.parametrize("seed", [1, 2])
def test_thousands_of_frames_are_answered_with_what_is_documented(seed):
    result = fuzz(FRAMES, seed)
    assert [failure.what for failure in result.failures] == []
    assert result.frames == FRAMES
    assert not result.leaks
    assert set(result.mutations) == {"sound", "said again", *OF_VALUES, *OF_FRAMES, *OF_TEXTS}
    for version in Version:
        told = {answer for of, answer in result.answers if of == version}
        assert told >= {"CALLRESULT", "no answer", "NotImplemented", "NotSupported", "TypeConstraintViolation"}


def test_the_same_seed_is_the_same_run():
    first, second = fuzz(1_500, 7), fuzz(1_500, 7)
    assert (first.answers, first.mutations) == (second.answers, second.mutations)


def test_progress_is_told():
    heard = []
    fuzz(90, 1, heard.append)
    assert heard == [30, 60, 90]


@pytest.mark.parametrize("version", Version)
def test_what_tells_of_a_bug_of_ours_is_no_documented_answer(version):
    assert "InternalError" not in documented_codes(version)
    assert ("OccurenceConstraintViolation" in documented_codes(version)) == (version is Version.V16)


def planted_understand(error):
    understand = catalogue.understand

    def fails(version, action, payload, **more):
        if action == "StatusNotification":
            raise error
        return understand(version, action, payload, **more)

    return fails


def test_a_translator_that_raises_is_found_with_its_frame(monkeypatch):
    monkeypatch.setattr(fuzzing.catalogue, "understand", planted_understand(KeyError("planted")))
    result = fuzz(FRAMES, 1)
    assert len(result.failures) >= FAILURES_MAX
    assert any("planted" in failure.what and "StatusNotification" in failure.text for failure in result.failures)


def test_an_undocumented_answer_is_found(monkeypatch):
    error = RemoteError(ErrorCode.GENERIC_ERROR, "planted")
    monkeypatch.setattr(fuzzing.catalogue, "understand", planted_understand(error))
    assert any("undocumented error" in failure.what for failure in fuzz(FRAMES, 1).failures)


def test_a_decider_that_raises_is_found(monkeypatch):
    decide = turn.decide

    def fails(state, item, context):
        if "Data" in type(getattr(item, "report", None)).__name__:
            raise ArithmeticError("planted")
        return decide(state, item, context)

    monkeypatch.setattr(turn, "decide", fails)
    assert any("planted" in failure.what for failure in fuzz(FRAMES, 1).failures)


def test_a_call_that_gets_no_answer_is_found(monkeypatch):
    monkeypatch.setattr(fuzzing.rpc.Session, "refuse", lambda *_: [])
    assert any("calls without an answer" in failure.what for failure in fuzz(300, 1).failures)


def test_memory_that_grows_is_a_leak():
    result = fuzzing.Result(1, kib_warm=100_000, kib_end=100_000 + fuzzing.GROWTH_KIB_MAX + 1)
    assert result.leaks


def test_a_fact_that_cannot_be_read_back_is_found(monkeypatch):
    monkeypatch.setattr(fuzzing, "decode_journal_entry", lambda _data: None)
    with pytest.raises(AssertionError, match="not read as it was written"):
        fuzz(30, 1)
