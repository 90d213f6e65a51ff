"""Waves of stations that come (back): when all were connected, had booted, and had reported their connectors.

A wave begins with the fleet's start, and with each storm of a scenario. Times are of CLOCK_MONOTONIC, which all
processes of one machine share.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

from loadtests.link import Observer
from loadtests.wording import Payload

STAGES = ("connected", "booted", "reported")


@dataclass
class Stage:
    """How many are there, and since when the last one is."""

    reached: int = 0
    last_at: float = 0.0

    def step(self) -> None:
        """One more."""
        self.reached += 1
        self.last_at = monotonic()


@dataclass
class Wave:
    """Some stations that come at about the same time.

    Attributes:
        name: What happened.
        began_at: When they could come.
        stations: How many must come.
        boots: Whether they boot and report their connectors.
        stages: By name, see `STAGES`; without boot only the first.
    """

    name: str
    began_at: float
    stations: int
    boots: bool
    stages: dict[str, Stage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for stage in STAGES if self.boots else STAGES[:1]:
            self.stages.setdefault(stage, Stage())

    @property
    def complete(self) -> bool:
        """All stations passed all stages."""
        return all(stage.reached >= self.stations for stage in self.stages.values())

    def merge(self, other: "Wave") -> None:
        """Takes in the same wave of another process."""
        self.stations += other.stations
        self.began_at = min(self.began_at, other.began_at)
        for name, stage in other.stages.items():
            mine = self.stages[name]
            mine.reached += stage.reached
            mine.last_at = max(mine.last_at, stage.last_at)

    def as_dict(self) -> dict[str, object]:
        """For JSON: by stage how many, and the seconds from the beginning until all were there; None: not all were."""
        shown: dict[str, object] = {"name": self.name, "stations": self.stations}
        for name, stage in self.stages.items():
            everybody = stage.reached >= self.stations
            shown[name] = stage.reached
            shown[f"all_{name}_s"] = round(max(0.0, stage.last_at - self.began_at), 3) if everybody else None
        return shown


class Waves:
    """The waves of one process; an `Observer` that hands on to another one.

    Args:
        observer: Who else wants to know of each answered call; None: nobody.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self.waves: list[Wave] = []
        self._connectors_of: dict[str, int] = {}
        self._observer = observer
        self._connected: set[str] = set()
        self._booted: set[str] = set()
        self._unreported: dict[str, set[object]] = {}

    def expect(self, connectors_of: dict[str, int]) -> None:
        """The stations whose coming is watched, and how many connectors each has."""
        self._connectors_of = connectors_of

    def begin(self, name: str, identities: Iterable[str] | None = None, *, boots: bool) -> None:
        """From now on stations come; those of an earlier wave that did not arrive never do. None: all."""
        coming = self._connectors_of.keys() if identities is None else self._connectors_of.keys() & set(identities)
        self.waves.append(Wave(name, monotonic(), len(coming), boots))
        self._connected = set(coming)
        self._booted = set(coming) if boots else set()
        self._unreported = {identity: set() for identity in coming} if boots else {}

    def connected(self, identity: str) -> None:
        """A connection is open."""
        if identity in self._connected:
            self._connected.remove(identity)
            self.waves[-1].stages["connected"].step()

    def on_answered(self, identity: str, action: str, payload: Payload, reply: Payload) -> None:
        """A call was answered."""
        if self._unreported:
            if action == "StatusNotification":
                self._status_answered(identity, payload)
            elif action == "BootNotification" and reply.get("status") == "Accepted" and identity in self._booted:
                self._booted.remove(identity)
                self.waves[-1].stages["booted"].step()
        if self._observer is not None:
            self._observer.on_answered(identity, action, payload, reply)

    def _status_answered(self, identity: str, payload: Payload) -> None:
        reported = self._unreported.get(identity)
        if reported is None or identity in self._booted:
            return
        reported.add((payload.get("evseId"), payload.get("connectorId")))
        reported.discard((None, 0))  # 1.6: the station itself
        if len(reported) >= self._connectors_of[identity]:
            del self._unreported[identity]
            self.waves[-1].stages["reported"].step()
