"""What is sent so that a station's list becomes the wanted one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.local_lists import BOUNDS_OF_VERSION, applied, difference, messages, wanted_list
from engine.model.authorization import Token, TokenRecord, TokenStatus, TokenVerdict
from engine.model.local_list import ListEntry

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def entry(key, group=None):
    return ListEntry(Token(key), TokenVerdict(TokenStatus.ACCEPTED, group=group))


def of(*keys):
    return {key: entry(key) for key in keys}


lists = st.dictionaries(st.sampled_from("abcdefghijkl"), st.sampled_from([None, "g", "h"]), max_size=12).map(
    lambda groups: {key: entry(key, group) for key, group in groups.items()}
)


def played(has, sent):
    """The list of a station that obeys 2.1 D01.FR.04, FR.15 to FR.17 and FR.19."""
    version = 0
    for message in sent:
        assert message.version > version
        version = message.version
        has = applied(has, message)
    return has


@given(has=lists, wanted=lists, version=st.integers(-1, 2**31 - 100), entries_max=st.integers(1, 5))
def test_a_station_that_takes_all_messages_in_has_the_wanted_list(has, wanted, version, entries_max):
    sent = messages(has, wanted, version, entries_max)
    assert played(has, sent) == wanted
    assert all(len(message.entries) <= entries_max for message in sent)
    assert all(message.version > max(0, version) for message in sent)
    assert [message.more for message in sent] == [True] * (len(sent) - 1) + [False] * bool(sent)
    assert not any(message.full for message in sent[1:])
    if sent:
        assert sent[-1].total == len(wanted)


@given(wanted=lists, has=lists, entries_max=st.integers(1, 5))
def test_a_station_of_which_nothing_is_known_gets_the_whole_list(wanted, has, entries_max):
    sent = messages(None, wanted, 0, entries_max)
    assert sent[0].full
    assert played(has, sent) == wanted


@given(has=lists, wanted=lists, entries_max=st.integers(1, 3), broken=st.integers(0, 12))
def test_a_change_that_breaks_off_anywhere_is_gone_on_with(has, wanted, entries_max, broken):
    sent = messages(has, wanted, 5, entries_max)[:broken]
    partly = played(has, sent)
    version = sent[-1].version if sent else 5
    rest = messages(partly, wanted, version, entries_max)
    assert played(partly, rest) == wanted
    assert all(message.version > version for message in rest)


@given(wanted=lists)
def test_a_list_that_is_right_is_left_alone(wanted):
    assert messages(wanted, wanted, 7) == ()


@given(has=lists, wanted=lists)
def test_a_difference_names_each_token_once_and_no_more_than_a_whole_list_would(has, wanted):
    changes = difference(has, wanted)
    assert len({change.token.key for change in changes}) == len(changes)
    said = sum(len(message.entries) for message in messages(has, wanted, 1))
    assert said <= max(len(wanted), len(changes))


def test_D01_FR_04_an_empty_list_is_sent_whole_where_the_station_may_have_one():
    (sent,) = messages(None, {}, 3)
    assert (sent.version, sent.full, sent.entries, sent.total) == (4, True, (), 0)


def test_D01_FR_17_a_token_that_goes_is_taken_out():
    (sent,) = messages(of("a", "b", "c"), of("a", "b"), 1)
    assert (sent.full, sent.entries) == (False, (ListEntry(Token("c")),))


def test_a_change_that_would_say_more_than_the_whole_list_is_the_whole_list():
    (sent,) = messages(of("a", "b", "c", "d"), of("e"), 1)
    assert sent.full


# Which tokens a station gets


def wanted_of(*records, station="CP-1", version="2.1", all_tokens=True):
    return wanted_list(records, station, NOW, BOUNDS_OF_VERSION[version], all_tokens=all_tokens)


def test_tokens_are_in_it_as_the_operator_marked_them():
    yes, no, unsaid = (
        TokenRecord(Token("yes"), in_local_list=True),
        TokenRecord(Token("no"), in_local_list=False),
        TokenRecord(Token("unsaid")),
    )
    assert set(wanted_of(yes, no, unsaid)) == {"yes", "unsaid"}
    assert set(wanted_of(yes, no, unsaid, all_tokens=False)) == {"yes"}


@pytest.mark.parametrize(
    "limits",
    [
        {"hours": ("08:00-09:00",)},
        {"credit": 10.0},
        {"concurrent_max": 1},
        {"places": ("CP-2",)},
        {"expires_at": NOW},
    ],
)
def test_a_token_that_narke_must_judge_each_time_is_in_no_list(limits):
    assert wanted_of(TokenRecord(Token("a"), **limits)) == {}


def test_an_entry_says_what_an_answer_would():
    later = NOW + timedelta(days=1)
    record = TokenRecord(Token("AB", "ISO14443"), expires_at=later, group="g", places=("CP-*:2",), language="de")
    assert wanted_of(record) == {
        "ab": ListEntry(
            Token("AB", "ISO14443"),
            TokenVerdict(TokenStatus.ACCEPTED, later, "g", evses=(2,), language="de"),
        )
    }
    assert wanted_of(TokenRecord(Token("a"), blocked=True))["a"].verdict.status is TokenStatus.BLOCKED


def test_what_a_version_cannot_say_is_left_out_of_its_lists():
    assert wanted_of(TokenRecord(Token("a"), places=("CP-1:2",)), version="1.6") == {}
    assert wanted_of(TokenRecord(Token("a" * 21)), version="1.6") == {}
    assert wanted_of(TokenRecord(Token("a" * 37)), version="2.0.1") == {}
    assert wanted_of(TokenRecord(Token("a", "VIN")), version="2.0.1") == {}
    assert set(wanted_of(TokenRecord(Token("a" * 37, "VIN")))) == {"a" * 37}
    assert set(wanted_of(TokenRecord(Token("a", "VIN")), version="1.6")) == {"a"}
