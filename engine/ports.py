"""Every seam of the house as a Protocol: what a floor needs from the world, in its own words.

Implementations live in `storage` (Redis, PostgreSQL, memory twins) and `actors` (Ray); `deploy.wiring` joins them.

Errors of the seams, all `SeamError`:

    SeamError
    |- Fenced               somebody with a higher epoch owns the unit: forget it
    |- JournalUnavailable   Redis does not answer, refuses, or a shard's stream is full: try again later, answer nothing
    |- ActorUnavailable     the actor does not answer now (it is restarting): try again
    `- ActorGone            no such actor (any more): ask the directory
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from engine.model.authorization import Token, TokenRecord, TransactionUse
from engine.model.campaigns import CampaignChanged, CampaignStarted
from engine.model.caps import CapSource, HeldCap
from engine.model.certificates import (
    ContractCertificateAsked,
    ContractEvidence,
    ContractFinding,
    ContractStatus,
    SigningAsked,
    SigningDecided,
    SigningFinding,
    StatusFinding,
    StatusQuestion,
)
from engine.model.commands import CommandCancel, CommandRequest, Outcome
from engine.model.diagnostics import CustomerInformationForgotten
from engine.model.facts import StationFacts
from engine.model.ids import Unit
from engine.model.messages import LoggedMessage
from engine.model.plans import PlanFact
from engine.model.sites import DriverAsked, DriverRequest, HeldSite, SeriesKind, Site, SiteSeries
from engine.model.stations import StationRecord
from engine.model.tariff_and_cost import AssignedTo, TariffBook
from engine.model.tariffs import Tariff

JsonValue = dict[str, Any] | list[Any] | str | int | float | bool | None
"""Any JSON, decoded."""


class SeamError(Exception):
    """Base of what a seam can raise."""


class Fenced(SeamError):  # noqa: N818 (the field's word)
    """A higher epoch owns the unit; whatever this process believes of it is stale."""


class JournalUnavailable(SeamError):  # noqa: N818
    """Nothing can be recorded now. The message says why and what to do."""


class ActorUnavailable(SeamError):  # noqa: N818
    """The actor does not answer now; it may be restarting."""


class ActorGone(SeamError):  # noqa: N818
    """There is no such actor."""


class Clock(Protocol):
    """Time, aware UTC."""

    def now(self) -> datetime:
        """The present."""


class Ids(Protocol):
    """Names that nobody else has."""

    def transaction_number(self) -> int:
        """The next name of a 1.6 transaction: positive, fits 32 bits, never given before.

        Raises:
            JournalUnavailable: The block reserved in advance is used up.
        """


class UnitCommit(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn made true in one unit: facts in order, and the new state (opaque bytes) of each station."""

    unit: Unit
    epoch: int
    records: tuple[StationFacts, ...]
    states: Mapping[str, bytes]


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What one round trip to the journal brought. A missing key is absent."""

    states: Mapping[str, bytes]
    tokens: Mapping[str, TokenRecord]
    stations: Mapping[str, StationRecord]


class Journal(Protocol):
    """The durable record. A commit is atomic, fenced by the unit's epoch, and on disk when it returns."""

    async def claim(self, unit: Unit, epoch: int) -> None:
        """Takes the unit: from now on commits with a lower epoch, or by an earlier claimant of this one, are refused.

        Raises:
            Fenced: The unit has a higher epoch.
            JournalUnavailable: It is unknown whether the unit was claimed.
        """

    async def next_epoch(self) -> int:
        """An epoch higher than all that were ever given.

        Raises:
            JournalUnavailable: None was given.
        """

    async def fetch(
        self, states: Sequence[tuple[Unit, str]], tokens: Sequence[str], stations: Sequence[str]
    ) -> Fetched:
        """One round trip: states by (unit, station), token records by `Token.key`, station records by identity.

        Raises:
            JournalUnavailable: Nothing was read.
        """

    async def tariffs(self) -> TariffBook:
        """The operator's tariffs and whom they are for.

        Raises:
            JournalUnavailable: Nothing was read.
        """

    async def planned(self, stations: Sequence[str]) -> frozenset[str]:
        """Those of the stations that belong to a site (`SiteBook`).

        Raises:
            JournalUnavailable: Nothing was read.
        """

    async def uses(self, names: Sequence[str]) -> Mapping[str, tuple[TransactionUse, ...]]:
        """Open transactions over all stations, by `engine.station.authorization.use_key`; a moment behind.

        Raises:
            JournalUnavailable: Nothing was read.
        """

    async def commit(
        self, commits: Sequence[UnitCommit], now: datetime
    ) -> Sequence[Fenced | JournalUnavailable | None]:
        """One round trip, one atomic script per unit; a verdict for each, in order: None is recorded and on disk.

        After `JournalUnavailable` it is unknown whether the unit's facts were recorded: forget its states and read
        anew.
        """

    async def reserve_transaction_numbers(self, count: int) -> range:
        """A block of names of 1.6 transactions that nobody else gets.

        Raises:
            JournalUnavailable: Nothing was reserved.
        """


class OperatorBook(Protocol):
    """What the operator keeps: tokens and stations. Written through Redis; on disk when a call returns."""

    async def save_tokens(self, records: Sequence[TokenRecord], now: datetime) -> None:
        """Adds or replaces."""

    async def remove_token(self, token: Token, now: datetime) -> bool:
        """False: it was not known."""

    async def token(self, key: str) -> TokenRecord | None:
        """By `Token.key`."""

    async def save_station(self, record: StationRecord, now: datetime) -> None:
        """Adds or replaces."""

    async def station(self, station: str) -> StationRecord | None:
        """By identity."""

    async def change_station(
        self, station: str, change: Callable[[StationRecord], StationRecord], now: datetime
    ) -> StationRecord | None:
        """Changes a record in one step, whoever else changes it; returns it as it became. None: it is not registered.

        `change` may be called several times. Where it changes nothing, nothing is written.
        """

    async def look_up(self, stations: Sequence[str]) -> Mapping[str, StationRecord]:
        """By identity as asked for, in few round trips; of one that is not registered, the one of `station_like`."""

    async def station_like(self, station: str) -> StationRecord | None:
        """The registered station whose identity is this but for the case of letters; not the one spelled the same."""

    async def decide_signing(self, decided: SigningDecided) -> None:
        """Writes down the operator's yes or no to a station's request for a certificate."""

    async def forget_customer(self, forgotten: CustomerInformationForgotten) -> None:
        """Deletes what a station told of a customer, wherever Narke keeps it for reading."""

    async def start_campaign(self, campaign: CampaignStarted, now: datetime) -> None:
        """Keeps a campaign until it is over."""

    async def change_campaign(self, change: CampaignChanged, now: datetime) -> None:
        """Pauses, continues or ends a campaign."""

    async def campaign(self, campaign_id: str) -> CampaignStarted | None:
        """One that is not over, whole; None: there is none of that id."""


class TariffKeeper(Protocol):
    """The operator's tariffs and whom they are for. Written through Redis; on disk when a call returns."""

    async def book(self) -> TariffBook:
        """All of it."""

    async def save(self, tariff: Tariff, now: datetime) -> None:
        """Adds a tariff.

        Raises:
            ValueError: Its id stands for another content, or the book is full.
        """

    async def remove(self, tariff_id: str, now: datetime) -> bool:
        """Forgets a tariff; whoever had it has none. False: it was not known."""

    async def assign(self, to: AssignedTo, name: str, tariff_id: str | None, now: datetime) -> None:
        """Says whose it is; None: nobody's of that name.

        Raises:
            ValueError: There is no such tariff, or too many have one of their own.
        """


class SiteBook(Protocol):
    """The operator's sites, what caps them, prices and drivers' requests. Through Redis; on disk when a call returns.

    Whoever saves has checked (`smartcharging.site_check`). Every method raises `JournalUnavailable` where it is unknown
    whether it was done; doing it again does no harm.
    """

    async def sites(self) -> Mapping[str, Site]:
        """All, by id."""

    async def site(self, site: str) -> Site | None:
        """One; None: there is none of that id."""

    async def held_site(self, site: str) -> HeldSite | None:
        """One with its revision and who saved it; None: there is none of that id."""

    async def save_site(self, site: Site, by: str, now: datetime, *, revision: int | None = None) -> int:
        """Adds or replaces; returns the revision it has now: the old one where nothing changed.

        `revision`: only if it is at this one (0: only if there is none); None: whatever it is.

        Raises:
            ValueError: One of its stations belongs to another site, or it is at another revision.
        """

    async def remove_site(self, site: str, by: str, now: datetime) -> bool:
        """With its caps and series. False: it was not known."""

    async def caps(self) -> Mapping[tuple[str, str], HeldCap]:
        """All that were not released, by site and source."""

    async def save_cap(self, cap: CapSource, by: str, now: datetime) -> None:
        """Adds or replaces, and hears its source.

        Raises:
            ValueError: There is no such site, or it has too many caps.
        """

    async def hear_cap(self, site: str, source: str, now: datetime) -> bool:
        """A heartbeat. False: there is no such cap."""

    async def release_cap(self, site: str, source: str, by: str, now: datetime) -> bool:
        """False: there is no such cap."""

    async def series(self) -> Mapping[tuple[str, SeriesKind], SiteSeries]:
        """Prices and CO2 as last told, by site and kind."""

    async def save_series(self, series: SiteSeries, by: str, now: datetime) -> None:
        """Adds or replaces.

        Raises:
            ValueError: There is no such site.
        """

    async def requests(self, now: datetime | None = None) -> Sequence[DriverAsked]:
        """What drivers asked for within two days before `now` (None: before the newest of them), the oldest first."""

    async def ask(self, request: DriverRequest, by: str, now: datetime) -> None:
        """Keeps a driver's request; a newer one for the same place or token replaces it."""

    async def tell(self, facts: Sequence[PlanFact], now: datetime) -> None:
        """Puts what the planner decided on its way to PostgreSQL, in the planner's own stream."""


class Arrivals(Protocol):
    """In which order connections came, whatever the clocks of the hosts that took them (docs/sessions.md)."""

    async def number(self) -> int:
        """Higher than all that were given before, to whichever ingress; positive. Drawn once per accepted handshake.

        Raises:
            JournalUnavailable: None was given.
        """


class MessageLog(Protocol):
    """Where raw frames go. Not part of what an answer promises: up to a second of it can be lost with its process."""

    def write(self, message: LoggedMessage) -> None:
        """Buffers; never blocks. What does not fit the bound is counted and logged, not dropped in silence."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns a unit. `actor`: a Ray actor's name. `epoch` grows with every move of the unit."""

    unit: Unit
    actor: str
    epoch: int


class StationActors(Protocol):
    """How an ingress reaches the actors that host stations."""

    def unit_of(self, station: str) -> Unit:
        """The unit a station belongs to."""

    def placement(self, unit: Unit) -> Placement | None:
        """The owner as last heard; None: ask `locate`."""

    async def locate(self, unit: Unit, *, suspect: Placement | None = None) -> Placement:
        """The owner as the directory says; `suspect`: a placement that failed, for the directory to look into.

        Raises:
            ActorUnavailable: The directory does not answer now.
        """

    async def deliver(self, actor: str, batch: bytes) -> bytes:
        """Hands an encoded `Batch` over; returns an encoded `BatchReply`.

        Raises:
            ActorUnavailable: It is unknown whether the batch was taken: deliver it again.
            ActorGone: Ask the directory, then deliver it again.
        """


class Ingresses(Protocol):
    """How a station actor reaches the ingress that holds a session."""

    async def send(self, ingress: str, downlinks: bytes) -> None:
        """Hands encoded `Downlinks` over.

        Raises:
            ActorUnavailable: Try again.
            ActorGone: The ingress and its sessions are gone.
        """


class CommandGateway(Protocol):
    """How people and programs command stations."""

    async def command(self, request: CommandRequest) -> Outcome:
        """Waits for the outcome, at most until the deadline; a refusal, or what a version cannot say, is an outcome.

        Raises:
            ActorUnavailable: No actor could be reached before the deadline. Whether the command was taken is unknown.
        """

    async def submit(self, request: CommandRequest) -> None:
        """Returns when the command is on record; its outcome will be, too. The same `command_id` twice is one command.

        Raises:
            ActorUnavailable: No actor could be reached. Whether the command was taken is unknown.
        """

    async def submit_many(self, requests: Sequence[CommandRequest]) -> Sequence[CommandRequest]:
        """As `submit`, for many at once in few calls; returns those that could not be put on record, to try again."""

    async def cancel(self, cancel: CommandCancel) -> Outcome:
        """Takes a command back while it waits. CANCELLED: done; REFUSED: sent or unknown; else: it was over before.

        Raises:
            ActorUnavailable: No actor could be reached.
        """


class VendorHandler(Protocol):
    """Somebody's own handler of a vendor's DataTransfer messages (`ingress.ocpp.vendor_data`).

    `message_ids`: those that it understands; others are told UnknownMessageId. None: any, also none.
    """

    vendor_id: str
    message_ids: frozenset[str] | None

    async def transfer(self, station: str, message_id: str | None, data: JsonValue) -> tuple[str, JsonValue]:
        """Status (Accepted, Rejected, UnknownMessageId) and data for the station; None: no data.

        `data`: as the station sent it, decoded; OCPP 1.6 sends texts.
        """


class CertificateAuthority(Protocol):
    """Who signs what stations ask for. A refusal, and no answer in time, are findings."""

    async def sign(self, station: str, asked: SigningAsked, now: datetime) -> SigningFinding:
        """The certificate: SIGNED, REFUSED, or UNAVAILABLE. The same request again gets the same certificate."""


class CertificateDesk(Protocol):
    """What an ingress asks of the outside world about certificates, before anything is decided.

    No method raises but for bugs: what cannot be found out is a finding, too. Whoever asks gives up in time.
    """

    async def signing(self, station: str, asked: SigningAsked) -> SigningFinding:
        """What becomes of a request: signed, refused, or it waits for the operator or for the authority."""

    async def certificate_status(self, question: StatusQuestion) -> StatusFinding:
        """Whether a certificate is good, by OCSP or a revocation list."""

    async def contract_status(self, token: str, evidence: ContractEvidence) -> ContractStatus:
        """What a car's contract certificate is worth. `token`: the eMAID that came with it."""

    async def contract_certificate(self, station: str, asked: ContractCertificateAsked) -> ContractFinding:
        """Contract certificates for a car, from a pool."""


class ContractOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool has for a car. `responses`: EXI in base64, one per contract, the most wanted first."""

    accepted: bool
    responses: tuple[str, ...] = ()
    detail: str | None = None


class ContractPool(Protocol):
    """Where contract certificates come from (VDE-AR-E 2802-100-1)."""

    async def obtain(self, station: str, asked: ContractCertificateAsked) -> ContractOffer:
        """All contracts for the car at once; no answer is an offer that is not accepted, with the reason."""
