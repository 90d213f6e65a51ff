"""The directory: which actor owns which unit, and in which epoch.

The conversation:

    ingress -> directory   locate(unit)                       who owns it?
    directory -> ingress   Table(version, placements)         everybody, so that one question answers for all
    ingress -> actor       deliver(Batch with epochs)         the actor claims a unit when it hears of a higher epoch
    actor -> Redis         claim(unit, epoch)                 refused unless the epoch is higher than any before
    actor -> ingress       Retry(MOVED)                       I do not own it: ask the directory
    ingress -> directory   locate(unit, suspect=placement)    this one failed me; look into it
    directory -> actor     pid                                alive? the same process as before?
    ingress -> directory   changed_since(version)             waits until there is another table: the push

    narke up -> directory  host(names)                        these are the station actors now, said every few seconds
    directory -> narke up  names                              others that still own units: keep them a little longer
    directory -> actor     release(placements)                these units are somebody else's now: forget them

A suspect that lives gets its units anew in a higher epoch; one that does not answer loses them to the survivors at
once. It need not be right: the epoch in Redis, not the directory, makes a second owner harmless. An actor that joins,
comes back or is to leave moves units in an orderly handoff, a few at a time, and each of them pauses for the new
owner's claim only:

    1. the table names the new owner in a higher epoch, and goes to all who wait for it
    2. ingresses send what comes from now on to the new owner, which claims the unit and reads its states from Redis
    3. what the old owner commits before the claim stands and is answered; after it, Redis refuses the commit and the
       batch comes back as MOVED: the ingress delivers it to the new owner
    4. the old owner is told: it forgets the units and sends back (Fenced) whoever waits for a command's outcome there

The directory keeps nothing on disk: after its own death it takes the station actors that Ray knows by name for the set,
until `host` says better, and places all units anew above the highest epoch that Redis knows.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

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
START_PROBES_MAX = 40
CHANGE_WAIT_S = 20.0
MOVE_UNITS = 8
"""Units that an orderly handoff moves at a time: the new owner claims them and reads their stations in one turn."""
MOVE_PAUSE_S = 0.05
RELEASE_TIMEOUT_S = 2.0
SHARD_PREFIX = "stations-"
"""Begins the names of shard mode's actors."""
STATION_PREFIX = "station-"
"""Begins the names of literal mode's actors."""


class Table(msgspec.Struct, frozen=True):
    """All placements known, by unit name. `version`: the highest epoch among them; a newer table has a higher one."""

    version: int
    placements: dict[str, Placement]


class Directory:
    """Places units on station actors.

    Args:
        journal: Gives epochs.
        actors: The station actors by name, in shard mode; `host` says later ones. Empty in literal mode.
        units: The units that exist, in shard mode. Empty in literal mode.
        spawn_station: Makes the actor of one station, in literal mode.
        literal_stations_max: How many of those at most.
        find: Looks an actor up by its name, or raises ActorGone. None: the actors never change, and are asked for their
            process id only.
    """

    def __init__(
        self,
        journal: Journal,
        actors: dict[str, ActorRef],
        units: tuple[Unit, ...],
        spawn_station: Callable[[str], ActorRef],
        literal_stations_max: int,
        find: Callable[[str], ActorRef] | None = None,
    ) -> None:
        self._journal = journal
        self._actors = actors
        self._units = units
        self._spawn_station = spawn_station
        self._literal_stations_max = literal_stations_max
        self._find = find
        self._leaving: dict[str, ActorRef] = {}
        self._pids: dict[str, int] = {}
        self._down: set[str] = set()
        self._placements: dict[str, Placement] = {}
        self._version = 0
        self._settled_for: frozenset[str] | None = None
        self._changed = asyncio.Condition()
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks which actors live and places all units. On a machine that is busy starting, none may answer at once."""
        for _ in range(START_PROBES_MAX):
            await self._probe_all(self._actors)
            if self._live or not self._units:
                break
            await asyncio.sleep(REVIVE_INTERVAL_S)
        async with self._lock:
            await self._place(self._units)
        self._keeper = asyncio.create_task(self._keep())

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
        """Waits, at most `CHANGE_WAIT_S`, for a table other than `version`."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._version != version), CHANGE_WAIT_S)
            return Table(self._version, dict(self._placements))

    async def host(self, names: tuple[str, ...]) -> frozenset[str]:
        """These station actors, all ready for work, share the units from now on. Said again, it changes nothing.

        Returns:
            The others that still own units. They may end when they are not among these any more.
        """
        known = {*self._actors, *self._leaving}
        for name in self._actors.keys() - {*names}:
            self._leaving[name] = self._actors.pop(name)
        for name in {*names} - self._actors.keys():
            ref = self._leaving.pop(name, None) or self._look_up(name)
            if ref is not None:
                self._actors[name] = ref
        if known != {*self._actors} or self._leaving:
            await self._probe_all([*(self._actors.keys() - known), *self._leaving])
            self._settled_for = None
            self._wake.set()
        return frozenset(placement.actor for placement in self._placements.values()) - self._actors.keys()

    async def health(self) -> dict[str, object]:
        """For people and readiness. `units_by_actor`: what each station actor owns."""
        shares: dict[str, int] = dict.fromkeys(sorted(self._actors), 0)
        for placement in self._placements.values():
            shares[placement.actor] = shares.get(placement.actor, 0) + 1
        down = sorted(self._down & self._actors.keys())
        return {
            "version": self._version,
            "units": len(self._placements),
            "actors_down": down,
            "units_by_actor": shares,
        }

    # Who lives

    @property
    def _live(self) -> frozenset[str]:
        return frozenset(self._actors.keys() - self._down)

    async def _look_into(self, placement: Placement) -> None:
        """The owner failed somebody: if it lives it gets the unit in a higher epoch, else all its units move."""
        before = self._pids.get(placement.actor)
        alive = await self._probe(placement.actor)
        if alive and self._pids[placement.actor] == before:
            await self._place((placement.unit,))
            return
        lost = {placement.actor}
        if not alive and self._units:  # who dies rarely dies alone: it may have been the node
            others = self._live
            await self._probe_all(others)
            lost |= others - self._live
        await self._place(each.unit for each in self._placements.values() if each.actor in lost)

    async def _probe_all(self, names: Iterable[str]) -> None:
        await asyncio.gather(*(self._probe(name) for name in sorted(names)))

    async def _probe(self, name: str) -> bool:
        """Whether the actor answers; remembers its process and whether it is down."""
        ref = self._actors.get(name) or self._leaving.get(name)
        if ref is None:
            return False
        try:
            self._pids[name] = await asyncio.wait_for(ref.pid(), PROBE_TIMEOUT_S)
        except (ActorGone, ActorUnavailable, TimeoutError) as error:
            if name not in self._down:
                log.warning("a station actor does not answer", actor=name)
            self._down.add(name)
            if isinstance(error, ActorGone) and name in self._actors:  # one of the same name may have come after it
                self._actors[name] = self._look_up(name) or self._actors[name]
            return False
        self._down.discard(name)
        return True

    def _look_up(self, name: str) -> ActorRef | None:
        if self._find is None:
            return None
        with contextlib.suppress(ActorGone):
            return self._find(name)
        return None

    # Who owns what

    async def _place(self, which: Iterable[Unit]) -> None:
        """Gives the units an owner in a new epoch and tells whoever waits."""
        owners = {unit: self._owner(unit) for unit in which}
        if not owners:
            return
        epoch = await self._journal.next_epoch()
        for unit, actor in owners.items():
            self._placements[unit.name] = Placement(unit=unit, actor=actor, epoch=epoch)
        self._version = epoch  # also above all of the directory that was here before
        self._settled_for = None
        metrics.directory_version.set(self._version)
        log.info("units placed", units=len(owners), epoch=epoch, down=sorted(self._down))
        async with self._changed:
            self._changed.notify_all()

    def _owner(self, unit: Unit) -> str:
        if unit.station is not None:
            return self._station_actor(unit.station)
        actor = owner(unit.name, self._live)
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

    # Units move to where they belong

    async def _keep(self) -> None:
        """Takes back actors that answer again, and gives all actors what is theirs."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), REVIVE_INTERVAL_S)
            self._wake.clear()
            try:
                await self._revive()
                await self._settle()
            except (ActorUnavailable, JournalUnavailable) as error:
                log.warning("units could not be placed", error=str(error))
            except Exception:  # a bug must not end this: the next time may do
                log.exception("units could not be moved")

    async def _revive(self) -> None:
        """What an actor still owns that was down, it gets anew at once: nobody else has it."""
        down = {*self._down}
        await self._probe_all(down)
        back = down - self._down
        async with self._lock:
            await self._place([each.unit for each in self._placements.values() if self._units and each.actor in back])

    async def _settle(self) -> None:
        """Moves units that are not where they belong, a few at a time."""
        while True:
            async with self._lock:
                live = self._live
                if live == self._settled_for:
                    break
                due = self._due(live)
                before = {unit: self._placements.get(unit.name) for unit in due}
                await self._place(due)
                if not due:
                    self._settled_for = live
                    break
            await self._release(placement for placement in before.values() if placement is not None)
            await asyncio.sleep(MOVE_PAUSE_S)
        owning = {placement.actor for placement in self._placements.values()}
        for name in self._leaving.keys() - owning:
            del self._leaving[name]
        self._down &= self._actors.keys() | self._leaving.keys()

    def _due(self, live: frozenset[str]) -> list[Unit]:
        """All units whose owner is lost; if there is none, the next few whose owner ought to be another."""
        if not live:
            return []
        away, homeless = [], []
        for unit in self._units:
            placement = self._placements.get(unit.name)
            if placement is None or placement.actor in self._down:
                homeless.append(unit)
            elif placement.actor != owner(unit.name, live):
                away.append(unit)
        return homeless or away[:MOVE_UNITS]

    async def _release(self, left: Iterable[Placement]) -> None:
        """Tells old owners that live what is not theirs any more. Redis refuses them in any case."""
        if self._find is None:
            return
        by_actor: dict[str, list[Placement]] = {}
        for placement in left:
            now = self._placements[placement.unit.name]
            if now.actor != placement.actor and placement.actor not in self._down:
                by_actor.setdefault(placement.actor, []).append(now)
        await asyncio.gather(*(self._tell(name, tuple(placements)) for name, placements in by_actor.items()))

    async def _tell(self, name: str, placements: tuple[Placement, ...]) -> None:
        ref = self._actors.get(name) or self._leaving.get(name)
        try:
            if ref is not None:
                await asyncio.wait_for(ref.call("release", placements), RELEASE_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 (a courtesy: Redis refuses the old owner in any case)
            log.debug("an old owner could not be told", actor=name, why=repr(error))
