"""Signed meter values of a transaction: verbatim, and beside them what the format says where it is known (OCMF)."""

from datetime import datetime

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from engine.ocpp.ocmf import Ocmf, parsed, recognised
from ingress.http.api.answers import answers
from ingress.http.api.texts import StationName
from ingress.http.api.transactions import TransactionId
from ingress.http.authentication import READ
from ingress.http.problems import json_response, not_found
from ingress.http.services import House

router = APIRouter(tags=["transactions"])


class SignedValue(msgspec.Struct, frozen=True):
    """A signed meter value. `signed`: as the station sent it. `format`: OCMF, or null where it is not recognised.

    `ocmf`: what the text says; its `faults` tell where the structure breaks the format. The signature is not verified.
    """

    at: datetime | None
    received_at: datetime
    context: str
    measurand: str
    signed: str
    format: str | None = None
    ocmf: Ocmf | None = None


_EXAMPLE = [
    SignedValue(
        at=None,
        received_at=datetime.fromisoformat("2026-11-21T10:00:01+00:00"),
        context="Transaction.End",
        measurand="Energy.Active.Import.Register",
        signed='OCMF|{"PG":"T26","IS":true,"RD":[]}|{"SD":"3045"}',
        format="OCMF",
        ocmf=parsed('OCMF|{"PG":"T26","IS":true,"RD":[]}|{"SD":"3045"}'),
    )
]


@router.get(
    "/signed-values/{station}/{transaction_id:path}",
    dependencies=[READ],
    responses=answers(list[SignedValue], _EXAMPLE, 404),
)
async def list_signed_values(house: House, station: StationName, transaction_id: TransactionId) -> Response:
    """The signed meter values of a transaction, oldest first, with what OCMF says in them."""
    detail = await house.queries.transaction(station, transaction_id)
    if detail is None:
        todo = f"GET /api/v1/transactions?station={station} lists those of {station}"
        raise not_found("transaction", f"{station}/{transaction_id}", todo)
    values = []
    for row in detail.meter_values:
        if row.signed is not None:
            found = recognised(row.signed)
            format_ = None if found is None else "OCMF"
            values.append(SignedValue(row.at, row.received_at, row.context, row.measurand, row.signed, format_, found))
    return json_response(values)
