"""The directory: which actor owns which unit, and in which epoch.

The conversation:

    ingress -> directory   locate(unit)                       who owns it?
    directory -> ingress   Table(version, placements)         everybody, so that one question answers for all
    ingress -> actor       deliver(Batch with epochs)         the actor claims a unit when it first hears of a higher
    epoch actor -> Redis         claim(unit, epoch)                 refused unless the epoch is higher than any before
    actor -> ingress       Retry(MOVED)                       I do not own it: ask the directory
    ingress -> directory   locate(unit, suspect=placement)    this one failed me; look into it
    directory -> actor     pid                                alive? the same process as before?
    ingress -> directory   changed_since(version)             waits until there is a newer table: the push

A suspect that lives gets its units anew in a higher epoch; one that does not answer loses them to the survivors at
once. It need not be right: the epoch in Redis, not the directory, makes a second owner harmless. The directory keeps
nothing on
disk: after its own death it places all units anew above the highest epoch that Redis knows.
"""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog

from actors import metrics
from actors.placement import owner
from actors.runtime import ActorRef
from engine.model.ids import Unit
from engine.ports import ActorGone, ActorUnavailable, Journal, JournalUnavailable, Placement

log = structlog.get_logger()

PROBE_TIMEOUT_S = 1.0
REVIVE_INTERVAL_S = 0.5
CHANGE_WAIT_S = 20.0
STATION_PREFIX = "station-"
"""Begins the names of literal mode's actors."""


class Table(msgspec.Struct, frozen=True):
    """All placements known, by unit name. A higher version is newer."""

    version: int
    placements: dict[str, Placement]


class Directory:
    """Places units on station actors.

    Args:
        journal: Gives epochs.
        actors: The station actors by name, in shard mode. Empty in literal mode.
        units: The units that exist, in shard mode. Empty in literal mode.
        spawn_station: Makes the actor of one station, in literal mode.
        literal_stations_max: How many of those at most.
    """

    def __init__(
        self,
        journal: Journal,
        actors: dict[str, ActorRef],
        units: tuple[Unit, ...],
        spawn_station: Callable[[str], ActorRef],
        literal_stations_max: int,
    ) -> None:
        self._journal = journal
        self._actors = actors
        self._units = units
        self._spawn_station = spawn_station
        self._literal_stations_max = literal_stations_max
        self._pids: dict[str, int] = {}
        self._down: set[str] = set()
        self._placements: dict[str, Placement] = {}
        self._version = 0
        self._changed = asyncio.Condition()
        self._lock = asyncio.Lock()
        self._reviver: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks which actors live and places all units."""
        await asyncio.gather(*(self._probe(name) for name in self._actors))
        async with self._lock:
            await self._place(self._units)
        self._reviver = asyncio.create_task(self._revive())

    async def locate(self, unit: Unit, suspect: Placement | None = None) -> Table:
        """The table, which has the unit's owner; looks into a suspect first.

        Raises:
            ActorUnavailable: No actor lives, or literal mode is full.
            JournalUnavailable: No epoch could be had.
        """
        async with self._lock:
            placement = self._placements.get(unit.name)
            if placement is None:
                await self._place((unit,))
            elif suspect is not None and suspect.epoch >= placement.epoch and suspect.actor == placement.actor:
                await self._look_into(placement)
            return Table(self._version, dict(self._placements))

    async def changed_since(self, version: int) -> Table:
        """Waits, at most `CHANGE_WAIT_S`, for a table newer than `version`."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._version > version), CHANGE_WAIT_S)
            return Table(self._version, dict(self._placements))

    async def health(self) -> dict[str, object]:
        """For people and readiness."""
        return {"version": self._version, "units": len(self._placements), "actors_down": sorted(self._down)}

    async def _look_into(self, placement: Placement) -> None:
        """The owner failed somebody: if it lives it gets the unit in a higher epoch, else all its units move."""
        before = self._pids.get(placement.actor)
        alive = await self._probe(placement.actor)
        restarted = alive and self._pids[placement.actor] != before
        if alive and not restarted:
            await self._place((placement.unit,))
        else:
            await self._place(self._units_of(placement.actor))

    def _units_of(self, actor: str) -> tuple[Unit, ...]:
        return tuple(placement.unit for placement in self._placements.values() if placement.actor == actor)

    async def _probe(self, name: str) -> bool:
        """Whether the actor answers; remembers its process and whether it is down."""
        try:
            self._pids[name] = await asyncio.wait_for(self._actors[name].pid(), PROBE_TIMEOUT_S)
        except (ActorGone, ActorUnavailable, TimeoutError):
            if name not in self._down:
                log.warning("a station actor does not answer", actor=name)
            self._down.add(name)
            return False
        self._down.discard(name)
        return True

    async def _place(self, units: tuple[Unit, ...]) -> None:
        """Gives the units an owner in a new epoch and tells whoever waits."""
        if not units:
            return
        epoch = await self._journal.next_epoch()
        for unit in units:
            self._placements[unit.name] = Placement(unit=unit, actor=self._owner(unit), epoch=epoch)
        self._version += 1
        metrics.directory_version.set(self._version)
        log.info("units placed", units=len(units), epoch=epoch, down=sorted(self._down))
        async with self._changed:
            self._changed.notify_all()

    def _owner(self, unit: Unit) -> str:
        if unit.station is not None:
            return self._station_actor(unit.station)
        actor = owner(unit.name, self._actors.keys() - self._down)
        if actor is None:
            raise ActorUnavailable("no station actor lives; Ray restarts them")
        return actor

    def _station_actor(self, station: str) -> str:
        name = f"{STATION_PREFIX}{station}"
        if name not in self._actors:
            if len(self._actors) >= self._literal_stations_max:
                raise ActorUnavailable(
                    f"station {station} must wait: {len(self._actors)} station actors run already "
                    "(actors.literal_stations_max); raise it or host several stations per actor"
                )
            self._actors[name] = self._spawn_station(station)
        return name

    async def _revive(self) -> None:
        """Brings actors that were down back into the placement when they answer again."""
        while True:
            await asyncio.sleep(REVIVE_INTERVAL_S)
            for name in sorted(self._down):
                if await self._probe(name):
                    await self._bring_back(name)

    async def _bring_back(self, name: str) -> None:
        async with self._lock:
            theirs = tuple(unit for unit in self._units if owner(unit.name, self._actors.keys() - self._down) == name)
            try:
                await self._place(theirs)
            except (ActorUnavailable, JournalUnavailable) as error:
                log.warning("units could not be placed", actor=name, error=str(error))
