"""OCMF: recognises the Open Charge Metering Format in signed meter values and reads it. SAFE e.V., OCMF 1.0 to 1.3.

    OCMF|{"FV":"1.0", ..., "PG":"T12", "RD":[...]}|{"SA":"ECDSA-secp256r1-SHA256", "SD":"3045..."}

How it comes (OCA, Signed Meter Values 1.0): 2.x signedMeterValue.signedMeterData in base64; 1.6 a value of format
SignedData, either the OCMF itself or a JSON object with signedMeterData in base64; stations also send it in hexadecimal
or as it is. What came is kept verbatim elsewhere; nothing here changes it. The structure is checked, the signature is
not: who bills by it verifies the verbatim text with the meter's public key and approved software.
"""

import base64
import binascii
import json
import re
from typing import Any

import msgspec
import orjson

PREFIX = "OCMF|"
READINGS_MAX = 100
TEXT_LENGTH_MAX = 65_536
_PAGINATION = re.compile(r"[TF]\d{1,10}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3}[+-]\d{4} [UISR]", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
_TRANSACTION_WORDS = frozenset("BCXELRAPST")
_STATUS_WORDS = frozenset("NGTDRMXIOSEF")
_INHERITED = ("TM", "RI", "RU", "RT", "EF", "ST")
"""Fields of a reading that it has of the one before where it does not say them (OCMF, section Readings)."""


class OcmfReading(msgspec.Struct, frozen=True):
    """A reading. `at`: as written, with the clock's state; `transaction`: B begin, E end, ...; `status`: G is good."""

    value: float | None
    unit: str | None = None
    identifier: str | None = None
    at: str | None = None
    transaction: str | None = None
    current_type: str | None = None
    error_flags: str | None = None
    status: str | None = None


class Ocmf(msgspec.Struct, frozen=True):
    """What an OCMF text says. `faults`: where its structure breaks the format; none: it is well-formed.

    `pagination`: T (transaction) or F (fiscal) and a number that each container raises. `identified`: whether a user
    was identified. `signature_algorithm`, `signature`: as they stand there.
    """

    version: str | None = None
    gateway: str | None = None
    gateway_serial: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    pagination: str | None = None
    identified: bool | None = None
    identification_type: str | None = None
    identification: str | None = None
    charge_point: str | None = None
    readings: tuple[OcmfReading, ...] = ()
    signature_algorithm: str | None = None
    signature_encoding: str | None = None
    signature: str | None = None
    faults: tuple[str, ...] = ()


def text_of(signed: str) -> str | None:
    """The OCMF text within a signed value as it was kept (`Reading.signed`); None: it is not OCMF."""
    text = signed.strip()
    if text.startswith("{"):
        text = _of_object(text)
    if text.startswith(PREFIX):
        return text
    return _decoded(text)


def recognised(signed: str) -> Ocmf | None:
    """What a signed value says; None: it is not OCMF."""
    text = text_of(signed)
    return None if text is None else parsed(text)


def parsed(text: str) -> Ocmf:
    """What an OCMF text says; never raises, whatever stands there."""
    if len(text) > TEXT_LENGTH_MAX:
        return Ocmf(faults=(f"longer than {TEXT_LENGTH_MAX} characters",))
    sections = _sections(text)
    if sections is None:
        return Ocmf(faults=("not OCMF, a payload and a signature, separated by |",))
    payload, signature = (_object(section) for section in sections)
    faults: list[str] = []
    if payload is None:
        faults.append("the payload is no JSON object")
    if signature is None:
        faults.append("the signature is no JSON object")
    return _read(payload or {}, signature or {}, faults)


def _read(payload: dict[str, Any], signature: dict[str, Any], faults: list[str]) -> Ocmf:
    pagination = _text(payload, "PG")
    if pagination is None or _PAGINATION.fullmatch(pagination) is None:
        faults.append("PG: must be T or F and a number")
    identified = payload.get("IS")
    if not isinstance(identified, bool):
        identified = None
        faults.append("IS: must be true or false")
    return Ocmf(
        version=_text(payload, "FV"),
        gateway=_text(payload, "GI"),
        gateway_serial=_text(payload, "GS"),
        vendor=_text(payload, "MV"),
        model=_text(payload, "MM"),
        serial=_text(payload, "MS"),
        firmware=_text(payload, "MF"),
        pagination=pagination,
        identified=identified,
        identification_type=_text(payload, "IT"),
        identification=_text(payload, "ID"),
        charge_point=_text(payload, "CI"),
        readings=_readings(payload.get("RD"), faults),
        signature_algorithm=_text(signature, "SA"),
        signature_encoding=_text(signature, "SE"),
        signature=_signature(signature, faults),
        faults=tuple(faults),
    )


def _readings(written: Any, faults: list[str]) -> tuple[OcmfReading, ...]:
    if not isinstance(written, list) or not written:
        faults.append("RD: must be a list of readings")
        return ()
    if len(written) > READINGS_MAX:
        faults.append(f"RD: more than {READINGS_MAX} readings")
    readings = []
    before: dict[str, Any] = {}
    for number, each in enumerate(written[:READINGS_MAX]):
        if not isinstance(each, dict):
            faults.append(f"RD[{number}]: must be an object")
            continue
        before = {**{name: before[name] for name in _INHERITED if name in before}, **each}
        readings.append(_reading(before, f"RD[{number}]", faults))
    return tuple(readings)


def _reading(said: dict[str, Any], where: str, faults: list[str]) -> OcmfReading:
    value, at = _number(said.get("RV")), _text(said, "TM")
    transaction, status = _text(said, "TX"), _text(said, "ST")
    if value is None:
        faults.append(f"{where}.RV: must be a number")
    if at is None or _TIME.fullmatch(at) is None:
        faults.append(f"{where}.TM: must be a time like 2026-11-21T10:00:00,000+0000 S")
    if transaction is not None and transaction not in _TRANSACTION_WORDS:
        faults.append(f"{where}.TX: unknown word {transaction[:20]!r}")
    if status not in _STATUS_WORDS:
        faults.append(f"{where}.ST: must be one of {', '.join(sorted(_STATUS_WORDS))}")
    return OcmfReading(
        value=value,
        unit=_text(said, "RU"),
        identifier=_text(said, "RI"),
        at=at,
        transaction=transaction,
        current_type=_text(said, "RT"),
        error_flags=_text(said, "EF"),
        status=status,
    )


def _signature(signature: dict[str, Any], faults: list[str]) -> str | None:
    data = _text(signature, "SD")
    encoding = _text(signature, "SE") or "hex"
    if not data:
        faults.append("SD: there is no signature")
    elif encoding == "hex" and _HEX.fullmatch(data) is None:
        faults.append("SD: must be hexadecimal")
    elif encoding == "base64" and _base64(data) is None:
        faults.append("SD: must be base64")
    elif encoding not in ("hex", "base64"):
        faults.append(f"SE: unknown encoding {encoding[:20]!r}")
    return data


def _sections(text: str) -> tuple[str, str] | None:
    """Payload and signature; a | may stand within their texts."""
    body = text[len(PREFIX) :]
    if not text.startswith(PREFIX) or "|" not in body:
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(body)
    except (ValueError, RecursionError):
        end = body.index("|")
    rest = body[end:].lstrip()
    return (body[:end], rest[1:]) if rest.startswith("|") else None


def _object(section: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(section)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _of_object(text: str) -> str:
    """SignedMeterData of a SignedMeterValueType, '' where there is none."""
    found = _object(text)
    data = None if found is None else found.get("signedMeterData")
    return data.strip() if isinstance(data, str) else ""


def _decoded(text: str) -> str | None:
    """The OCMF text that base64 or hexadecimal digits hold."""
    if _HEX.fullmatch(text) is not None:
        raw: bytes | None = bytes.fromhex(text)
    else:
        raw = _base64(text)
    if raw is None or not raw.startswith(PREFIX.encode()):
        return None
    return raw.decode("utf-8", "replace")


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    if isinstance(value, bool) or value is None:
        return None
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
