"""Frames of the fuzzer: what is sound is sound, and what was done to the others is named."""

from random import Random

import orjson
import pytest

from engine.ocpp.catalogue import actions
from engine.ocpp.errors import LocalError
from engine.ocpp.schemas import schema
from engine.ocpp.versions import Version
from loadtests.fuzz import official
from loadtests.fuzz.frames import SOUND, Corpus, Frames, OpenCall
from loadtests.fuzz.mutations import OF_FRAMES, OF_TEXTS, OF_VALUES


def frames(version, seed=1, mutations=None):
    starts = [row.name for row in actions(version).values() if row.from_station is not None]
    return Frames(Corpus(version.value), Random(seed), starts, mutations)


@pytest.mark.parametrize("version", Version)
def test_sound_frames_are_what_a_good_station_may_say(version):
    drawing = frames(version, mutations=frozenset())
    for _ in range(300):
        drawn = drawing.draw()
        frame = orjson.loads(drawn.data)
        assert drawn.mutation in (SOUND, "said again")
        if frame[0] in (2, 6):
            assert schema(version, frame[2], "request").is_valid(frame[3])
            assert (frame[0] == 6) == actions(version)[frame[2]].is_send


def test_what_the_csms_waits_for_is_answered_now_and_then():
    drawing = frames(Version.V201, mutations=frozenset())
    drawn = [orjson.loads(drawing.draw(OpenCall("asked", "Reset")).data) for _ in range(200)]
    answers = [frame for frame in drawn if frame[1] == "asked"]
    assert {frame[0] for frame in answers} >= {3, 4}
    assert all(schema(Version.V201, "Reset", "response").is_valid(frame[2]) for frame in answers if frame[0] == 3)


@pytest.mark.parametrize("name", [*OF_VALUES, *OF_FRAMES, *OF_TEXTS])
def test_every_mutation_spoils_most_frames_it_is_done_to(name):
    drawing = frames(Version.V21, mutations=frozenset({name}))
    spoiled = [not is_sound(data) for mutation, data in (drawing.draw() for _ in range(300)) if mutation == name]
    assert sum(spoiled) > len(spoiled) / 4


def is_sound(data):
    try:
        message_type, message_id, action, payload = orjson.loads(data)
        named = isinstance(message_id, str) and 0 < len(message_id) <= 36
        return message_type in (2, 6) and named and schema(Version.V21, action, "request").is_valid(payload)
    except (ValueError, TypeError, LocalError):
        return False


def test_favoured_actions_are_most_and_the_others_come_too():
    drawing = Frames(Corpus("1.6"), Random(1), ["Heartbeat"], frozenset())
    drawn = [orjson.loads(drawing.draw().data) for _ in range(400)]
    names = [frame[2] for frame in drawn if frame[0] == 2]
    assert names.count("Heartbeat") > len(names) * 0.8
    assert len(set(names)) > 5


def test_the_same_seed_draws_the_same_frames():
    first, second = frames(Version.V16, 9), frames(Version.V16, 9)
    assert [first.draw() for _ in range(200)] == [second.draw() for _ in range(200)]


def test_a_corpus_stays_small_however_much_is_drawn():
    corpus, chance = Corpus("1.6"), Random(1)
    for _ in range(500):
        corpus.payload(official.REQUEST, "Heartbeat", chance)
    assert len(corpus._kept[official.REQUEST, "Heartbeat"]) == 16
