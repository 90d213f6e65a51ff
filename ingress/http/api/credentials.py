"""Credentials: commands that change how a station must log in, so that none of them locks it out. 2.1 A01, A05, B09.

    before it is sent    the new password's hash, or the higher security profile, stands beside the one in use: the door
                         takes either
    the station came     with the new one: it is the only one from then on (the door sees to that)
    the station refused  the new one is dropped: the old one stays (TC_073, TC_A_10)
    no answer            both stay good, until the station has shown the new one

Whatever says it: change_password, set_variables of AuthorizationKey, BasicAuthPassword or SecurityProfile,
set_network_profile, or any of them raw.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import orjson

from engine.model.commands import Command, Outcome, Result
from engine.model.notices import RawCommand
from engine.model.provisioning import ChangePassword, SetNetworkProfile, SetVariables
from engine.model.stations import SECURITY_PROFILE_MAX, StationRecord
from ingress.http.problems import Problem
from ingress.http.services import Services
from ingress.ocpp.passwords import generate_password, hash_password, hash_random_password

PASSWORDS = frozenset({"authorizationkey", "basicauthpassword"})
PROFILE = "securityprofile"
NOT_TAKEN = frozenset(
    {
        Result.REFUSED,
        Result.OFFLINE,
        Result.NOT_EXPRESSIBLE,
        Result.EXPIRED,
        Result.CANCELLED,
        Result.REPLACED,
    }
)
"""Results after which the station certainly has the old ones."""


class Pledge(msgspec.Struct, frozen=True):
    """A command as it is to be sent, and what its station's record was changed by for it; None: nothing."""

    command: Command
    password_hash: str | None = None
    profile: int | None = None


async def pledged(services: Services, station: str, command: Command, now: datetime) -> Pledge:
    """Prepares the station's record for the command; makes a password where none is given.

    Raises:
        Problem: 409: a password is to be changed at a station that has no record.
    """
    generated = isinstance(command, ChangePassword) and not command.password
    if generated:
        command = ChangePassword(password=generate_password())
    password, profile = password_in(command), profile_in(command)
    password_hash = None
    if password is not None:
        password_hash = await _hashed(password, generated=generated)
        changed = await services.book.change_station(station, _with_password(password_hash), now)
        if changed is None:
            detail = f"{station} is not registered: there is no record to keep its new password in"
            raise Problem(409, "station-not-registered", detail, "register it first: PUT /api/v1/stations/{station}")
    if profile is not None:
        await services.book.change_station(station, _with_profile(profile), now)
    return Pledge(command, password_hash, profile)


async def redeemed(services: Services, station: str, pledge: Pledge, outcome: Outcome, now: datetime) -> None:
    """Takes back what the record was changed by, where the station certainly has not taken it."""
    if outcome.result not in NOT_TAKEN:
        return
    if pledge.password_hash is not None:
        await services.book.change_station(station, _without_password(pledge.password_hash), now)
    if pledge.profile is not None:
        await services.book.change_station(station, _without_profile(pledge.profile), now)


def password_in(command: Command) -> str | None:
    """The password that a command tells the station."""
    match command:
        case ChangePassword():
            return command.password
        case SetVariables():
            found = [one.value for one in command.settings if one.ref.variable.lower() in PASSWORDS]
            return found[-1] if found else None
        case RawCommand():
            return _raw_setting(command, PASSWORDS)
        case _:
            return None


def profile_in(command: Command) -> int | None:
    """The security profile that a command tells the station to come with."""
    match command:
        case SetNetworkProfile():
            return command.profile.security_profile
        case SetVariables():
            found = [one.value for one in command.settings if one.ref.variable.lower() == PROFILE]
            return _profile(found[-1]) if found else None
        case RawCommand(action="SetNetworkProfile"):
            data = _payload(command).get("connectionData")
            return _profile(data.get("securityProfile")) if isinstance(data, dict) else None
        case RawCommand():
            return _profile(_raw_setting(command, frozenset({PROFILE})))
        case _:
            return None


async def _hashed(password: str, *, generated: bool) -> str:
    """A password that people chose takes 20 ms, in a thread."""
    return hash_random_password(password) if generated else await asyncio.to_thread(hash_password, password)


def _with_password(password_hash: str) -> Callable[[StationRecord], StationRecord]:
    return lambda record: record.with_password_next(password_hash)


def _without_password(password_hash: str) -> Callable[[StationRecord], StationRecord]:
    """Drops the next password unless a later change has put its own there."""
    return lambda record: record.without_password_next() if record.password_hash_next == password_hash else record


def _with_profile(profile: int) -> Callable[[StationRecord], StationRecord]:
    """A profile that is not above the present one changes nothing: the station is to refuse it (A05.FR.02)."""

    def change(record: StationRecord) -> StationRecord:
        try:
            return record.with_profile_next(profile)
        except ValueError:
            return record

    return change


def _without_profile(profile: int) -> Callable[[StationRecord], StationRecord]:
    return lambda record: record.without_profile_next() if record.security_profile_next == profile else record


def _payload(command: RawCommand) -> dict[str, Any]:
    try:
        payload = orjson.loads(command.payload or b"{}")
    except ValueError:
        return {}  # the station will never see it
    return payload if isinstance(payload, dict) else {}


def _raw_setting(command: RawCommand, names: frozenset[str]) -> str | None:
    """The value that a raw ChangeConfiguration or SetVariables gives one of these."""
    payload = _payload(command)
    if command.action == "ChangeConfiguration":
        pairs = [(payload.get("key"), payload.get("value"))]
    elif command.action == "SetVariables" and isinstance(payload.get("setVariableData"), list):
        data = [each for each in payload["setVariableData"] if isinstance(each, dict)]
        pairs = [(_name(each.get("variable")), each.get("attributeValue")) for each in data]
    else:
        return None
    found = [value for name, value in pairs if str(name).lower() in names and isinstance(value, str)]
    return found[-1] if found else None


def _name(variable: Any) -> Any:
    return variable.get("name") if isinstance(variable, dict) else None


def _profile(value: Any) -> int | None:
    try:
        profile = int(value)
    except (TypeError, ValueError):
        return None
    return profile if 0 <= profile <= SECURITY_PROFILE_MAX else None
