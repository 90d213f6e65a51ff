"""The checks at the end of a run: what stations were promised, what the journal holds and what PostgreSQL shows agree.

What can be seen while it happens is in `witness` and `station`. A check of limits that a planner sets belongs here, too
(design.md section 6: no limit exceeded): append it to CHECKS.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from deploy.simulation.charging import Charged
from deploy.simulation.house import House
from deploy.simulation.ingress import Ingress
from deploy.simulation.station import Station
from engine.model.commands import Result
from engine.model.metering import ENERGY_REGISTER

_UNCERTAIN: Final = frozenset({Result.TIMED_OUT, Result.LOST})
_NEVER_SENT: Final = frozenset({Result.OFFLINE, Result.REFUSED, Result.NOT_EXPRESSIBLE})
_ONCE: Final = frozenset({"open", "reading", "end"})
_HARMLESS_FLAGS: Final = frozenset({"clock_skew"})


def check(house: House) -> None:
    """Tells the house of everything that is not as it must be."""
    for one in CHECKS:
        one(house)


def charged_at(house: House, station: Station) -> list[Charged]:
    """The transactions of a station whose start was answered."""
    return [each for place in house.places[station.identity] for each in place.charged]


def transactions_are_as_stations_know_them(house: House) -> None:
    """Each transaction is there once, open or ended as the station knows it; its energy is the meters' difference."""
    for station in house.stations:
        mine = charged_at(house, station)
        rows = {
            row.transaction_id: row
            for row in house.postgres.tables.transactions.values()
            if row.station == station.identity
        }
        known = [str(charged.transaction_id) for charged in mine]
        if sorted(rows) != sorted(known):
            house.violated(station.identity, f"its transactions are {sorted(known)}, PostgreSQL has {sorted(rows)}")
        for charged in mine:
            row = rows.get(str(charged.transaction_id))
            if row is None:
                continue
            wanted = (charged.meter_start_wh, charged.meter_stop_wh, energy_wh(charged), charged.token)
            shown = (row.meter_start_wh, row.meter_stop_wh, row.energy_wh, row.token)
            if shown != wanted or (row.ended_at is None) != (charged.meter_stop_wh is None):
                what = (
                    f"transaction {row.transaction_id} is (start, stop, energy, token) {wanted}, PostgreSQL has {shown}"
                )
                house.violated(station.identity, what)
            if odd := set(row.flags) - _HARMLESS_FLAGS:
                house.violated(station.identity, f"transaction {row.transaction_id} is flagged {sorted(odd)}")


def energy_wh(charged: Charged) -> float | None:
    """What PostgreSQL must say of it: so far while open, None before anything was read after the start."""
    if charged.meter_stop_wh is not None:
        return charged.meter_stop_wh - charged.meter_start_wh
    last_wh = max(charged.readings_wh, default=None)
    return None if last_wh is None else last_wh - charged.meter_start_wh


def numbers_are_given_once(house: House) -> None:
    """No two 1.6 transactions have the same number, whatever their stations."""
    numbers = Counter(row.number for row in house.postgres.tables.transactions.values() if row.number is not None)
    if twice := sorted(number for number, count in numbers.items() if count > 1):
        house.violated("numbers", f"transaction numbers given twice: {twice}")


def energy_adds_up(house: House) -> None:
    """All energy that stations gave and finished counting is in PostgreSQL, and no other."""
    given = sum(
        charged.meter_stop_wh - charged.meter_start_wh
        for station in house.stations
        for charged in charged_at(house, station)
        if charged.meter_stop_wh is not None
    )
    billed = sum(
        row.energy_wh or 0.0 for row in house.postgres.tables.transactions.values() if row.ended_at is not None
    )
    if given != billed:
        house.violated("energy", f"stations gave {given} Wh, PostgreSQL has {billed:g} Wh")


def readings_are_there_once(house: House) -> None:
    """Each reading of the energy register that a station said is a row, of its transaction, once."""
    found: Counter[tuple[str, str | None, float | None]] = Counter(
        (row.station, row.transaction_id, row.value)
        for row in house.postgres.tables.meter_values
        if row.measurand == ENERGY_REGISTER
    )
    wanted: Counter[tuple[str, str | None, float | None]] = Counter()
    for station in house.stations:
        for charged in charged_at(house, station):
            values = [*charged.readings_wh]
            if not station.wording.is_v16:  # 2.x reads the meter at the start and the end, too
                values += [charged.meter_start_wh]
                values += [] if charged.meter_stop_wh is None else [charged.meter_stop_wh]
            wanted.update((station.identity, charged.transaction_id, float(wh)) for wh in values)
    for reading, count in sorted((found - wanted).items(), key=str):
        house.violated(
            reading[0], f"reading {reading[2]:g} Wh of transaction {reading[1]} is there {count} times too often"
        )
    for reading, count in sorted((wanted - found).items(), key=str):
        house.violated(reading[0], f"reading {reading[2]:g} Wh of transaction {reading[1]} is missing ({count})")


def facts_are_in_order_and_once(house: House) -> None:
    """The journal has what a station was promised, once, in the order in which it was said."""
    for station in house.stations:
        recorded = house.witness.recorded.get(station.identity)
        order = [] if recorded is None else [each for each in recorded.order if each[0] in _ONCE]
        for evidence, count in Counter(order).items():
            if count > 1:
                house.violated(station.identity, f"{evidence} was recorded {count} times")
        if order != station.promised:
            first = next(
                (pair for pair in zip(order, station.promised, strict=False) if pair[0] != pair[1]),
                (len(order), len(station.promised)),
            )
            house.violated(station.identity, f"facts are not in the order in which they were said, from {first} on")


def actors_believe_the_same(house: House) -> None:
    """The state that rests in the journal knows the open transactions, and no command that is still open."""
    for station in house.stations:
        state = house.state(station.identity)
        is_open = {str(each.transaction_id) for each in charged_at(house, station) if each.meter_stop_wh is None}
        believed = {known.transaction_id for known in state.ledger.open}
        if believed != is_open:
            house.violated(station.identity, f"open are {sorted(is_open)}, its state believes {sorted(believed)}")
        if state.queue.open:
            house.violated(station.identity, f"commands never settled: {state.queue.open}")
        if state.session is None or station.line is None or state.session.session != station.line.name:
            mine = None if station.line is None else station.line.name
            theirs = None if state.session is None else state.session.session
            house.violated(station.identity, f"it is connected on {mine}, its state believes {theirs}")


def commands_settle_once(house: House) -> None:
    """No command is done twice; each that was taken is settled, and whoever asked was told the truth."""
    tables = house.postgres.tables
    obeyed = {station.identity: station.obeyed for station in house.stations}
    for command_id, (station, outcome) in house.commands.items():
        done = obeyed[station][command_id]
        settled = house.witness.settled.get(command_id, [])
        if done > 1:
            house.violated(station, f"carried command {command_id} out {done} times")
        if (command_id in tables.requested) != (command_id in tables.settled) or bool(settled) != (
            command_id in tables.requested
        ):
            house.violated(station, f"command {command_id} was requested and never settled, or the other way round")
        certain = [each for each in settled if each.result not in _UNCERTAIN]
        if len(settled) > 2 or len(certain) > 1 or (len(settled) == 2 and settled[0].result not in _UNCERTAIN):
            house.violated(station, f"command {command_id} was settled as {[each.result.value for each in settled]}")
        if outcome is None:
            continue
        if outcome.result not in {each.result for each in settled}:
            house.violated(station, f"of command {command_id} was told {outcome}, settled was {settled}")
        if (outcome.result is Result.ACCEPTED and done != 1) or (outcome.result in _NEVER_SENT and done):
            house.violated(station, f"of command {command_id} was told {outcome.result}, and it was done {done} times")


def nothing_is_left(house: House) -> None:
    """Queues are empty and bounded, nothing was put aside."""
    if house.postgres.tables.bad_entries:
        house.violated("projector", f"entries put aside: {house.postgres.tables.bad_entries}")
    for ingress in house.insides(Ingress):
        if ingress.courier.waiting or ingress.courier.units_held or ingress.courier.closed_door:
            what = f"{ingress.courier.waiting} events wait, {ingress.courier.units_held} units are held"
            house.violated("ingress", f"is not idle at the end: {what}")


CHECKS: Final[tuple[Callable[[House], None], ...]] = (
    transactions_are_as_stations_know_them,
    numbers_are_given_once,
    energy_adds_up,
    readings_are_there_once,
    facts_are_in_order_and_once,
    actors_believe_the_same,
    commands_settle_once,
    nothing_is_left,
)
"""All checks. The seam for further ones, e.g. of a planner's limits."""
