"""What the operator decides about stations: registering, changing, importing. Passwords come in and go out once."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import msgspec
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, model_validator
from starlette.responses import Response

from engine.model.provisioning import Registration
from engine.model.stations import SECURITY_PROFILE_MAX, StationRecord
from ingress.http.api import examples
from ingress.http.api.answers import answers
from ingress.http.api.texts import IDENTITY, Name, Note, StationName
from ingress.http.authentication import ADMIN
from ingress.http.problems import Problem, invalid, json_response
from ingress.http.services import House, Services
from ingress.ocpp.passwords import generate_password, hash_password, hash_random_password

router = APIRouter(prefix="/stations", tags=["stations"])

IMPORT_MAX = 1_000
_SAVED_AT_ONCE = 32
"""Of an import; their writes share Redis' round trips to the disk."""
_PROFILES_WITH_PASSWORD = frozenset({1, 2})

Password = Annotated[
    str,
    Field(
        min_length=8,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Password of HTTP Basic authentication. OCPP wants 16 to 40 characters (2.0.1) or 32 to 40 "
        "hexadecimal digits (1.6); only its hash is kept.",
    ),
]
Profile = Annotated[
    int,
    Field(
        ge=0,
        le=SECURITY_PROFILE_MAX,
        description="0: none demanded; 1: HTTP Basic; 2: HTTP Basic over TLS; 3: TLS with its certificate (2.1 A00).",
    ),
]


class StationChange(BaseModel, extra="forbid"):
    """What the operator decides about a station. In a PATCH, what is left out stays as it is."""

    registration: Annotated[Registration, Field(description="What its boots are answered.")] = Registration.ACCEPTED
    security_profile: Profile = 0
    security_profile_next: Annotated[
        Profile | None, Field(description="The one it was told to come with; both are accepted until it has.")
    ] = None
    password: Annotated[Password | None, Field(description="null: none. Left out: as it is, in a PUT too.")] = None
    password_next: Annotated[
        Password | None,
        Field(
            description="One that is being brought to the station; both are right until it has shown this one. null: "
            "give it up. Left out: as it is."
        ),
    ] = None
    generate: Annotated[
        Literal["password", "password_next"] | None,
        Field(description="Draw this password at random (160 bits) and answer it, once."),
    ] = None
    passwords_are_random: Annotated[
        bool,
        Field(
            description="The passwords given here were drawn by a machine from 112 bits or more, so a quick hash is "
            "enough."
        ),
    ] = False
    downgrade_allowed: Annotated[
        bool, Field(description="From security profile 3 it may come with 2 (2.1 AllowSecurityProfileDowngrade).")
    ] = False
    certificate_name: Annotated[
        Name | None, Field(description="Common name in its certificate, its serial number; null: its identity.")
    ] = None
    assume_ocpp16: Annotated[bool, Field(description="It names no subprotocol and means ocpp1.6.")] = False
    lenient_upgrade: Annotated[
        bool, Field(description="Its handshake lacks `Connection: Upgrade` or `Upgrade: websocket`.")
    ] = False
    message_log: Annotated[bool | None, Field(description="Keep its raw messages; null: as Narke's setting says.")] = (
        None
    )
    note: Annotated[Note | None, Field(description="For people.")] = None

    @model_validator(mode="after")
    def _one_password_each(self) -> Self:
        if self.generate is not None and self.generate in self.model_fields_set and getattr(self, self.generate):
            raise ValueError(f"{self.generate} is given and to be generated: do one of them")
        return self

    def decided(self, *, all_of_them: bool) -> dict[str, object]:
        """The fields of a record that this says, or all of them; no passwords."""
        passwords = {"station", "password", "password_next", "generate", "passwords_are_random"}
        return self.model_dump(exclude=passwords, exclude_unset=not all_of_them)


class StationBody(StationChange):
    """What the operator decides about a station, in full."""


class NamedStation(StationChange):
    """A station of an import."""

    station: Annotated[str, Field(min_length=1, max_length=48, pattern=IDENTITY, description="OCPP identity.")]


class StationPublic(msgspec.Struct, frozen=True, omit_defaults=True):
    """The operator's record of a station. The password is never shown, but for one that was generated just now."""

    station: str
    registration: Registration
    security_profile: int
    has_password: bool
    message_log: bool | None
    note: str | None
    has_password_next: bool = False
    security_profile_next: int | None = None
    downgrade_allowed: bool = False
    certificate_name: str | None = None
    assume_ocpp16: bool = False
    lenient_upgrade: bool = False
    generated_password: str | None = None


class StationsSaved(msgspec.Struct, frozen=True):
    """`saved`: stations registered or changed. `generated_passwords`: by station; they cannot be asked for again."""

    saved: int
    generated_passwords: dict[str, str]


class Hashes(msgspec.Struct, frozen=True):
    """What becomes of a record's passwords. `changes`: by field, None for none. `generated`: to be told once."""

    changes: Mapping[str, str | None]
    generated: str | None

    def on(self, record: StationRecord) -> StationRecord:
        """The record with them."""
        return msgspec.structs.replace(record, **self.changes)


@router.put("/{station}", dependencies=[ADMIN], responses=answers(StationPublic, examples.STATION_RECORD, created=True))
async def register_station(
    house: House, station: StationName, body: Annotated[StationBody, Body(examples=[examples.STATION_BODY])]
) -> Response:
    """Registers a station or replaces the operator's record of it (its password only where one is given)."""
    return await _answer(house, station, body, all_of_them=True)


@router.patch(
    "/{station}", dependencies=[ADMIN], responses=answers(StationPublic, examples.STATION_RECORD, created=True)
)
async def change_station(
    house: House, station: StationName, body: Annotated[StationChange, Body(examples=[examples.STATION_CHANGE])]
) -> Response:
    """Changes what is given in the operator's record of a station; registers it where `registration` is given."""
    if "registration" not in body.model_fields_set and await house.book.station(station) is None:
        todo = "register it first: PUT, or PATCH with its registration (narke station add)"
        raise Problem(404, "station-not-registered", f"station {station!r} is not registered", todo)
    return await _answer(house, station, body, all_of_them=False)


@router.post("", dependencies=[ADMIN], responses=answers(StationsSaved, examples.STATIONS_SAVED))
async def import_stations(
    house: House,
    body: Annotated[list[NamedStation], Body(min_length=1, max_length=IMPORT_MAX, examples=[examples.STATIONS_IMPORT])],
) -> Response:
    """Registers up to 1,000 stations, or changes what is given of those that are registered.

    Those before one that is refused are saved, and perhaps some after it. Importing again does no harm, but passwords
    are generated anew.
    """
    _require_distinct(body)
    generated: dict[str, str] = {}
    for begin in range(0, len(body), _SAVED_AT_ONCE):
        chunk = body[begin : begin + _SAVED_AT_ONCE]
        saving = (
            _save(house, one.station, one, all_of_them=False, where=f"body[{index}]")
            for index, one in enumerate(chunk, begin)
        )
        results = await asyncio.gather(*saving, return_exceptions=True)
        for one, result in zip(chunk, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            if result[1].generated is not None:
                generated[one.station] = result[1].generated
    return json_response(StationsSaved(len(body), generated))


async def _answer(house: Services, station: str, body: StationChange, *, all_of_them: bool) -> Response:
    known = await house.book.station(station)
    record, hashes = await _save(house, station, body, all_of_them=all_of_them, where="body")
    public = StationPublic(
        station=record.station,
        registration=record.registration,
        security_profile=record.security_profile,
        has_password=record.password_hash is not None,
        message_log=record.message_log,
        note=record.note,
        has_password_next=record.password_hash_next is not None,
        security_profile_next=record.security_profile_next,
        downgrade_allowed=record.downgrade_allowed,
        certificate_name=record.certificate_name,
        assume_ocpp16=record.assume_ocpp16,
        lenient_upgrade=record.lenient_upgrade,
        generated_password=hashes.generated,
    )
    return json_response(public, status=201 if known is None else 200)


async def _save(
    house: Services, station: str, body: StationChange, *, all_of_them: bool, where: str
) -> tuple[StationRecord, Hashes]:
    """Saves what the body decides.

    Raises:
        Problem: 409 another station is so called but for the case of letters; 422 its profile needs a password.
    """
    hashes = await _hashes(body, where)

    def change(known: StationRecord) -> StationRecord:
        record = hashes.on(msgspec.structs.replace(known, **body.decided(all_of_them=all_of_them)))
        _require_password(record, where)
        return record

    changed = await house.book.change_station(station, change, house.clock.now())
    if changed is None:
        await _require_new_identity(house, station)
        changed = change(StationRecord(station=station))
        await house.book.save_station(changed, house.clock.now())
    return changed, hashes


async def _hashes(body: StationChange, where: str) -> Hashes:
    generated = None if body.generate is None else generate_password()
    changes: dict[str, str | None] = {}
    for field, name in (("password", "password_hash"), ("password_next", "password_hash_next")):
        password: str | None = getattr(body, field)
        if field == body.generate:
            assert generated is not None, "it was drawn above"
            changes[name] = hash_random_password(generated)
        elif field not in body.model_fields_set:
            continue
        elif password is None:
            changes[name] = None
        elif body.passwords_are_random:
            changes[name] = _random_hash(password, f"{where}.{field}")
        else:
            changes[name] = await asyncio.to_thread(hash_password, password)
    return Hashes(changes, generated)


def _require_distinct(body: list[NamedStation]) -> None:
    first: dict[str, int] = {}
    for index, one in enumerate(body):
        earlier = first.setdefault(one.station.casefold(), index)
        if earlier != index:
            what = f"is {one.station!r}, which is at body[{earlier}] already"
            raise invalid(f"body[{index}].station", what, "name each station once; OCPP 2.x ignores case")


def _random_hash(password: str, where: str) -> str:
    try:
        return hash_random_password(password)
    except ValueError as error:
        raise invalid(where, str(error), "leave out passwords_are_random, or have it generated") from error


def _require_password(record: StationRecord, where: str) -> None:
    has_one = record.password_hash is not None or record.password_hash_next is not None
    if record.security_profile in _PROFILES_WITH_PASSWORD and not has_one:
        what = f"is missing: security profile {record.security_profile} needs one, or the station could never connect"
        raise invalid(f"{where}.password", what, "give a password of 16 to 40 characters, or generate one")


async def _require_new_identity(house: Services, station: str) -> None:
    like = await house.book.station_like(station)
    if like is not None:
        what = f"station {like.station!r} is registered, and differs from {station!r} only in the case of letters"
        raise Problem(409, "station-exists", what, "use the identity that is registered; OCPP 2.x ignores case")
