"""Tariffs and costs: CostUpdated, and 2.1's tariffs that stations reckon with themselves. OCPP 2.1 block I.

Translates; never decides, never remembers. Money is exact in the words and a JSON number on the wire.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from engine.model.commands import Outcome, Result
from engine.model.tariff_and_cost import (
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    HeldTariff,
    SetDefaultTariff,
    TariffsCleared,
    TariffsFound,
    UpdateCost,
)
from engine.model.tariffs import CostBound, PriceConditions, PriceList, Tariff, TaxRate
from engine.ocpp import outcomes, times
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v2 import entries, limits
from engine.ocpp.versions import Version

BLOCK = "tariff_and_cost"
TARIFF_ID_LENGTH_MAX = 60

_LISTS = (
    ("energy", "energy", "priceKwh"),
    ("charging_time", "chargingTime", "priceMinute"),
    ("idle_time", "idleTime", "priceMinute"),
    ("fixed_fee", "fixedFee", "priceFixed"),
    ("reservation_time", "reservationTime", "priceMinute"),
    ("reservation_fixed", "reservationFixed", "priceFixed"),
)
"""Field of `Tariff`, its name on the wire, and that of its prices' amount."""
_CONDITIONS = {
    "from_time": "startTimeOfDay",
    "to_time": "endTimeOfDay",
    "days": "dayOfWeek",
    "from_date": "validFromDate",
    "to_date": "validToDate",
    "evse_kind": "evseKind",
    "energy_wh_min": "minEnergy",
    "energy_wh_max": "maxEnergy",
    "current_a_min": "minCurrent",
    "current_a_max": "maxCurrent",
    "power_w_min": "minPower",
    "power_w_max": "maxPower",
    "time_s_min": "minTime",
    "time_s_max": "maxTime",
    "charging_s_min": "minChargingTime",
    "charging_s_max": "maxChargingTime",
    "idle_s_min": "minIdleTime",
    "idle_s_max": "maxIdleTime",
    "payment_brand": "paymentBrand",
    "payment_recognition": "paymentRecognition",
}
"""Field of `PriceConditions` -> its name on the wire."""


def cost_updated_from_command(command: UpdateCost, version: Version) -> tuple[str, Payload]:
    """The sum so far.

    Raises:
        NotExpressible: The transaction's id is too long.
    """
    return "CostUpdated", {
        "totalCost": float(command.total),
        "transactionId": _transaction_id(command.transaction_id, version),
    }


def set_default_tariff_from_command(command: SetDefaultTariff, version: Version) -> tuple[str, Payload]:
    """A tariff for an EVSE, 0: for each.

    Raises:
        NotExpressible: 2.0.1 stations do not reckon costs, or the tariff's id is too long.
    """
    _require_21(version)
    return "SetDefaultTariff", {"evseId": command.evse, "tariff": payload_from_tariff(command.tariff, version)}


def get_tariffs_from_command(command: GetTariffs, version: Version) -> tuple[str, Payload]:
    """Asks for what the station holds.

    Raises:
        NotExpressible: 2.0.1 stations hold no tariffs.
    """
    _require_21(version)
    return "GetTariffs", {"evseId": command.evse}


def clear_tariffs_from_command(command: ClearTariffs, version: Version) -> tuple[str, Payload]:
    """Some, those of an EVSE, or all.

    Raises:
        NotExpressible: 2.0.1 stations hold no tariffs, or an id is too long.
    """
    _require_21(version)
    payload: Payload = {}
    if command.tariff_ids:
        payload["tariffIds"] = [_tariff_id(each, version) for each in command.tariff_ids]
    if command.evse is not None:
        payload["evseId"] = command.evse
    return "ClearTariffs", payload


def change_transaction_tariff_from_command(command: ChangeTransactionTariff, version: Version) -> tuple[str, Payload]:
    """Another tariff for a transaction.

    Raises:
        NotExpressible: 2.0.1 stations do not reckon costs, or an id is too long.
    """
    _require_21(version)
    return "ChangeTransactionTariff", {
        "transactionId": _transaction_id(command.transaction_id, version),
        "tariff": payload_from_tariff(command.tariff, version),
    }


def payload_from_tariff(tariff: Tariff, version: Version) -> Payload:
    """A TariffType.

    Raises:
        NotExpressible: Its id is too long.
    """
    payload: Payload = {"tariffId": _tariff_id(tariff.id, version), "currency": tariff.currency}
    for name, wire, amount in _LISTS:
        prices: PriceList | None = getattr(tariff, name)
        if prices is not None:
            payload[wire] = _payload_from_prices(prices, amount)
    for wire, bound in (("minCost", tariff.cost_min), ("maxCost", tariff.cost_max)):
        if bound is not None:
            payload[wire] = _payload_from_bound(bound)
    if tariff.valid_from is not None:
        payload["validFrom"] = times.format(tariff.valid_from)
    if tariff.description:
        payload["description"] = [
            {"format": text.format, "content": text.content, **({"language": text.language} if text.language else {})}
            for text in tariff.description
        ]
    return payload


def outcome_from_get_tariffs_response(payload: Payload, version: Version) -> Outcome:
    """What the station holds; NoTariff answers the question, too."""
    outcome = outcomes.from_status_field(payload, version)
    found = TariffsFound(
        tuple(
            HeldTariff(
                tariff_id=each["tariffId"],
                kind=each["tariffKind"],
                valid_from=times.parse(each.get("validFrom")),
                evses=tuple(each.get("evseIds") or ()),
                tokens=tuple(each.get("idTokens") or ()),
            )
            for each in payload.get("tariffAssignments") or ()
        )
    )
    return Outcome(outcome.result, outcome.status, outcome.detail, outcome.payload, found=found)


def outcome_from_clear_tariffs_response(payload: Payload, _version: Version) -> Outcome:
    """What is gone. A yes where nothing is left of what was meant: cleared, or not there (I10.FR.06)."""
    results = payload["clearTariffsResult"]
    gone = tuple(each["tariffId"] for each in results if each["status"] != "Rejected" and each.get("tariffId"))
    refused = [outcomes.detail_of(each) or each["status"] for each in results if each["status"] == "Rejected"]
    return Outcome(
        result=Result.REFUSED if refused else Result.ACCEPTED,
        status=entries.one_word(each["status"] for each in results),
        detail=entries.detail_of_others(len(results), refused),
        payload=orjson.dumps(payload),
        found=TariffsCleared(gone),
    )


def _payload_from_prices(prices: PriceList, amount: str) -> Payload:
    payload: Payload = {
        "prices": [
            {
                amount: float(price.amount),
                **({} if price.conditions is None else {"conditions": _payload_from_conditions(price.conditions)}),
            }
            for price in prices.prices
        ]
    }
    if prices.taxes:
        payload["taxRates"] = [_payload_from_tax(tax) for tax in prices.taxes]
    return payload


def _payload_from_conditions(conditions: PriceConditions) -> Payload:
    payload: Payload = {}
    for name, wire in _CONDITIONS.items():
        value = getattr(conditions, name)
        if value is not None and value != ():
            payload[wire] = _plain(value)
    return payload


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case date():
            return value.isoformat()
        case tuple():
            return [str(each) for each in value]
        case str():
            return str(value)
        case _:
            return value


def _payload_from_bound(bound: CostBound) -> Payload:
    payload: Payload = {}
    if bound.excl is not None:
        payload["exclTax"] = float(bound.excl)
    if bound.incl is not None:
        payload["inclTax"] = float(bound.incl)
    if bound.taxes:
        payload["taxRates"] = [_payload_from_tax(tax) for tax in bound.taxes]
    return payload


def _payload_from_tax(tax: TaxRate) -> Payload:
    return {"type": tax.type, "tax": float(tax.percent), **({"stack": tax.stack} if tax.stack else {})}


def _transaction_id(transaction_id: str, version: Version) -> str:
    return limits.require_length(transaction_id, limits.TRANSACTION_ID_LENGTH_MAX, "a transactionId", version)


def _tariff_id(tariff_id: str, version: Version) -> str:
    return limits.require_length(tariff_id, TARIFF_ID_LENGTH_MAX, "a tariffId", version)


def _require_21(version: Version) -> None:
    """Raises NotExpressible."""
    if version is Version.V201:
        raise NotExpressible("OCPP 2.0.1 stations hold no tariffs, 2.1 do: Narke reckons and sends UpdateCost itself")


FROM_CSMS = (CsmsCall(action="CostUpdated", block=BLOCK, outcome=outcomes.from_status_field),)
"""Both versions."""
FROM_CSMS_21 = (
    CsmsCall(action="SetDefaultTariff", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetTariffs", block=BLOCK, outcome=outcome_from_get_tariffs_response),
    CsmsCall(action="ClearTariffs", block=BLOCK, outcome=outcome_from_clear_tariffs_response),
    CsmsCall(action="ChangeTransactionTariff", block=BLOCK, outcome=outcomes.from_status_field),
)
"""New in 2.1."""
COMMANDS = (
    CommandTranslator(command=UpdateCost, call=cost_updated_from_command),
    CommandTranslator(command=SetDefaultTariff, call=set_default_tariff_from_command),
    CommandTranslator(command=GetTariffs, call=get_tariffs_from_command),
    CommandTranslator(command=ClearTariffs, call=clear_tariffs_from_command),
    CommandTranslator(command=ChangeTransactionTariff, call=change_transaction_tariff_from_command),
)
