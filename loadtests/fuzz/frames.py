"""Frames of a station that says anything at all: sound ones, and ones to which `mutations` did something."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import orjson

from loadtests.fuzz import official
from loadtests.fuzz.mutations import OF_FRAMES, OF_TEXTS, OF_VALUES
from loadtests.fuzz.payloads import payload

SOUND = "sound"
"""The name of a frame to which nothing was done."""

_SOUND_CHANCE = 0.2
_FAVOURED_CHANCE = 0.9
_AGAIN_CHANCE = 0.02
_FRESH_CHANCE = 0.05
"""That a payload is drawn anew; most are taken from those that were drawn before, which is quicker."""
_KEPT_PER_ACTION = 16
_ERROR_CODES: tuple[Any, ...] = ("GenericError", "NotImplemented", "FormationViolation", "Nonsense", "", None, 5, [])


class OpenCall(NamedTuple):
    """A CALL of the CSMS that waits for an answer."""

    message_id: str
    action: str


class Drawn(NamedTuple):
    """A frame, and what was done to it."""

    mutation: str
    data: bytes


class Corpus:
    """Sound payloads of one version, some of each kind, slowly exchanged. Many `Frames` may share it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._kept: dict[tuple[str, str], list[bytes]] = {}

    def payload(self, kind: str, action: str, chance: Random) -> dict[str, Any]:
        """One of them, as a copy, or a new one."""
        kept = self._kept.setdefault((kind, action), [])
        if len(kept) >= _KEPT_PER_ACTION and chance.random() > _FRESH_CHANCE:
            chosen: dict[str, Any] = orjson.loads(chance.choice(kept))
            return chosen
        drawn = payload(self.version, kind, action, chance)
        data = orjson.dumps(drawn)
        if len(kept) < _KEPT_PER_ACTION:
            kept.append(data)
        else:
            kept[chance.randrange(_KEPT_PER_ACTION)] = data
        return drawn


class Frames:
    """Draws frames of one version. The same seed and the same questions give the same frames.

    Args:
        corpus: Of the version.
        chance: Where everything is drawn from.
        favoured: Actions that most CALLs are of, those that stations start; the others come, too, but rarely.
        mutations: Names of the mutations that may be drawn; None: all.
    """

    def __init__(
        self, corpus: Corpus, chance: Random, favoured: Sequence[str], mutations: frozenset[str] | None = None
    ) -> None:
        self._corpus = corpus
        self._chance = chance
        self._requests = [*official.documents(corpus.version, official.REQUEST)]
        self._favoured = [*favoured]
        self._responses = official.documents(corpus.version, official.RESPONSE)
        self._number = 0
        self._last = b'[2,"first","Heartbeat",{}]'
        tables: tuple[Mapping[str, Any], ...] = (OF_VALUES, OF_FRAMES, OF_TEXTS)
        self._mutations = [
            (name, table) for table in tables for name in table if mutations is None or name in mutations
        ]

    def draw(self, open_call: OpenCall | None = None) -> Drawn:
        """The next frame. `open_call`: what the CSMS waits for; some frames answer it."""
        if self._chance.random() < _AGAIN_CHANCE:
            return Drawn("said again", self._last)
        mutation, frame = self._spoiled(self._sound(open_call))
        self._last = frame
        return Drawn(mutation, frame)

    def _spoiled(self, frame: list[Any]) -> tuple[str, bytes]:
        chance = self._chance
        if not self._mutations or chance.random() < _SOUND_CHANCE:
            return SOUND, _written(frame)
        name, table = chance.choice(self._mutations)
        if table is OF_VALUES:
            if isinstance(frame[-1], dict):
                OF_VALUES[name](chance, frame[-1])
            return name, _written(frame)
        if table is OF_FRAMES:
            return name, _written(OF_FRAMES[name](chance, frame))
        return name, OF_TEXTS[name](chance, _written(frame))

    def _sound(self, open_call: OpenCall | None) -> list[Any]:
        """A frame as a good station says it: mostly a CALL, sometimes an answer."""
        chance = self._chance
        kind = chance.random()
        if open_call is not None and kind < 0.2:
            return self._answer(open_call)
        if kind > 0.97:
            stray = OpenCall(f"stray-{chance.randrange(9)}", chance.choice([*self._responses]))
            return self._answer(stray)
        self._number += 1
        action = chance.choice(self._favoured if chance.random() < _FAVOURED_CHANCE else self._requests)
        message_type = 2 if action in self._responses else 6
        return [
            message_type,
            f"m-{self._number % 50_000}",
            action,
            self._corpus.payload(official.REQUEST, action, chance),
        ]

    def _answer(self, call: OpenCall) -> list[Any]:
        chance = self._chance
        kind = chance.random()
        if kind < 0.7 and call.action in self._responses:
            return [3, call.message_id, self._corpus.payload(official.RESPONSE, call.action, chance)]
        return [4 if kind < 0.9 else 5, call.message_id, chance.choice(_ERROR_CODES), "said the station", {}]


def _written(frame: Any) -> bytes:
    """As JSON; integers beyond 64 bits, which orjson does not write, as texts."""
    try:
        return orjson.dumps(frame)
    except (TypeError, ValueError):
        return orjson.dumps(_writable(frame))


def _writable(value: Any) -> Any:
    match value:
        case int() if abs(value) >= 2**63:
            return orjson.Fragment(str(value))
        case list():
            return [_writable(inner) for inner in value]
        case dict():
            return {key: _writable(inner) for key, inner in value.items()}
        case _:
            return value
