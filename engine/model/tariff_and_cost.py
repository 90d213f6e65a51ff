"""Tariffs and costs: which tariff counts, what stations hold of them, what transactions cost. OCPP 2.1 block I.

The values are `engine.model.tariffs`; the sums are `engine.rating`'s.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

import msgspec

from engine.model.tariffs import CostDetails, Tariff
from engine.model.usage import Usage
from engine.model.word import Word

TARIFFS_MAX = 500
ASSIGNMENTS_MAX = 20_000
"""Of stations, groups and tokens together."""


class AssignedTo(StrEnum):
    """Whom a tariff is for; of those that fit, the first of this order counts."""

    TOKEN = "token"  # noqa: S105 (a kind, not a password)
    GROUP = "group"
    STATION = "station"
    DEFAULT = "default"


class TariffBook(Word, frozen=True):
    """The operator's tariffs and whom they are for. `tokens`: by `Token.key`; values are ids."""

    tariffs: dict[str, Tariff] = msgspec.field(default_factory=dict)
    default: str | None = None
    stations: dict[str, str] = msgspec.field(default_factory=dict)
    groups: dict[str, str] = msgspec.field(default_factory=dict)
    tokens: dict[str, str] = msgspec.field(default_factory=dict)

    def find(self, tariff_id: str | None) -> Tariff | None:
        """A tariff by its id."""
        return None if tariff_id is None else self.tariffs.get(tariff_id)

    def of_driver(self, token_key: str | None, group: str | None) -> Tariff | None:
        """The tariff that is for this token or its group alone."""
        own = self.tokens.get(token_key) if token_key is not None else None
        return self.find(own) or self.find(self.groups.get(group) if group is not None else None)

    def of(self, station: str, token_key: str | None, group: str | None) -> Tariff | None:
        """The tariff of a transaction; None: none counts, which does not mean that it is free."""
        driver = self.of_driver(token_key, group)
        return driver or self.find(self.stations.get(station)) or self.find(self.default)

    def with_saved(self, tariff: Tariff) -> Self:
        """With one more tariff.

        Raises:
            ValueError: The book is full, or its id stands for another content (2.1 I08.FR.08).
        """
        known = self.tariffs.get(tariff.id)
        if known is not None and known != tariff:
            raise ValueError(f"tariff {tariff.id!r} has another content, and old bills name it: use another id")
        if known is None and len(self.tariffs) >= TARIFFS_MAX:
            raise ValueError(f"the book holds {TARIFFS_MAX} tariffs already: remove some")
        return msgspec.structs.replace(self, tariffs={**self.tariffs, tariff.id: tariff})

    def without(self, tariff_id: str) -> Self:
        """Without a tariff, and with nobody who has it."""

        def others(assigned: dict[str, str]) -> dict[str, str]:
            return {name: other for name, other in assigned.items() if other != tariff_id}

        return msgspec.structs.replace(
            self,
            tariffs={name: tariff for name, tariff in self.tariffs.items() if name != tariff_id},
            default=None if self.default == tariff_id else self.default,
            stations=others(self.stations),
            groups=others(self.groups),
            tokens=others(self.tokens),
        )

    def with_assigned(self, to: AssignedTo, name: str, tariff_id: str | None) -> Self:
        """With a tariff for somebody; None: with none of their own. `name` of a token: its `Token.key`.

        Raises:
            ValueError: There is no such tariff, or too many have one of their own.
        """
        if tariff_id is not None and tariff_id not in self.tariffs:
            raise ValueError(f"there is no tariff {tariff_id!r}: save it first")
        if to is AssignedTo.DEFAULT:
            return msgspec.structs.replace(self, default=tariff_id)
        field = {AssignedTo.STATION: "stations", AssignedTo.GROUP: "groups", AssignedTo.TOKEN: "tokens"}[to]
        assigned = {key: value for key, value in getattr(self, field).items() if key != name}
        if tariff_id is not None:
            assigned[name] = tariff_id
        changed = msgspec.structs.replace(self, **{field: assigned})
        if len(changed.stations) + len(changed.groups) + len(changed.tokens) > ASSIGNMENTS_MAX:
            raise ValueError(f"{ASSIGNMENTS_MAX} assignments are the most: use groups, or the default")
        return changed

    def assigned(self) -> Iterator[tuple[AssignedTo, str, str]]:
        """Who has which tariff: kind, name, tariff id."""
        if self.default is not None:
            yield AssignedTo.DEFAULT, "", self.default
        named = ((AssignedTo.STATION, self.stations), (AssignedTo.GROUP, self.groups), (AssignedTo.TOKEN, self.tokens))
        for to, those in named:
            for name, tariff_id in those.items():
                yield to, name, tariff_id


class UpdateCost(Word, frozen=True):
    """Command (2.x CostUpdated): show the driver what a transaction costs so far, with taxes."""

    transaction_id: str
    total: Decimal

    @property
    def slot(self) -> str:
        """Only the last sum counts."""
        return f"cost:{self.transaction_id}"


class SetDefaultTariff(Word, frozen=True):
    """Command (2.1): the station reckons costs itself, with this tariff where a driver has none. EVSE 0: all (I07)."""

    tariff: Tariff
    evse: int = 0


class GetTariffs(Word, frozen=True):
    """Command (2.1): which tariffs the station holds. EVSE 0: all (I09)."""

    evse: int = 0


class ClearTariffs(Word, frozen=True):
    """Command (2.1): forget these tariffs, those of an EVSE, or (nothing said) all (I10)."""

    tariff_ids: tuple[str, ...] = ()
    evse: int | None = None


class ChangeTransactionTariff(Word, frozen=True):
    """Command (2.1): another tariff for a running transaction, from now on and in the same currency (I11)."""

    transaction_id: str
    tariff: Tariff


class HeldTariff(Word, frozen=True, tag=False):
    """A tariff that a station holds. `kind`: DefaultTariff or DriverTariff."""

    tariff_id: str
    kind: str
    valid_from: datetime | None = None
    evses: tuple[int, ...] = ()
    tokens: tuple[str, ...] = ()


class TariffsFound(Word, frozen=True):
    """Found in an answer to GetTariffs: all that the station holds where it was asked."""

    tariffs: tuple[HeldTariff, ...] = ()


class TariffsCleared(Word, frozen=True):
    """Found in an answer to ClearTariffs: what is gone. The station may not say which."""

    tariff_ids: tuple[str, ...] = ()


class CostFlag(StrEnum):
    """What was odd about a cost; it was recorded all the same."""

    NO_METER = "no_meter"
    """No energy is known of the transaction."""
    STARTED_UNSEEN = "started_unseen"
    """Its start was not heard: what was before costs nothing here."""
    TARIFF_GONE = "tariff_gone"
    """Its tariff was removed while it ran: what came after costs nothing here."""


class CostBegun(Word, frozen=True):
    """Fact: this tariff counts for the transaction from now on. Also when another one takes its place."""

    transaction_id: str
    tariff_id: str
    usage: Usage
    at: datetime
    flags: tuple[CostFlag, ...] = ()


class CostCounted(Word, frozen=True):
    """Fact: so much was used so far, and costs so much. `told`: the station is sent it."""

    transaction_id: str
    usage: Usage
    cost: CostDetails
    at: datetime
    told: bool = False


class CostSettled(Word, frozen=True):
    """Fact: what the transaction cost in the end."""

    transaction_id: str
    cost: CostDetails
    at: datetime
    flags: tuple[CostFlag, ...] = ()


class CostReported(Word, frozen=True):
    """Fact: what the station itself says a transaction costs (2.1 I12), JSON, verbatim. `final`: it is over."""

    transaction_id: str
    at: datetime
    cost: bytes
    final: bool = False


class CostUpdatesUnsupported(Word, frozen=True):
    """Fact: the station knows no CostUpdated; it is not sent any more until it boots."""

    at: datetime


class DefaultTariffInstalled(Word, frozen=True):
    """Fact: the station holds this default tariff at the EVSE; 0: at all."""

    evse: int
    tariff: Tariff
    at: datetime


class HeldTariffsCleared(Word, frozen=True):
    """Fact: these tariffs are gone from the station; none named: all. `evse` None: everywhere."""

    tariff_ids: tuple[str, ...]
    at: datetime
    evse: int | None = None


class HeldTariffsListed(Word, frozen=True):
    """Fact: the station holds these tariffs and no others; of one EVSE where `evse` is above 0."""

    evse: int
    tariffs: tuple[HeldTariff, ...]
    at: datetime


class TransactionTariffChanged(Word, frozen=True):
    """Fact: the station reckons with another tariff from now on."""

    transaction_id: str
    tariff: Tariff
    at: datetime


class TariffSaved(Word, frozen=True):
    """Fact of the operator's: a tariff was added or changed."""

    tariff: Tariff
    at: datetime


class TariffRemoved(Word, frozen=True):
    """Fact of the operator's: a tariff is gone, and whoever had it has none."""

    tariff_id: str
    at: datetime


class TariffAssigned(Word, frozen=True):
    """Fact of the operator's: whom a tariff is for. `tariff_id` None: for nobody of that name any more."""

    to: AssignedTo
    name: str
    tariff_id: str | None
    at: datetime
