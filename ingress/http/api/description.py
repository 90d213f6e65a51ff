"""The description of the API: OpenAPI 3.1 with examples, schemas of our structs, the bearer key and problem+json."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.model.caps import HeldCap
from engine.model.sites import DriverRequest, HeldSite
from ingress.http.api import examples
from ingress.http.api.answers import PROBLEM_MEDIA_TYPE, finish_examples, struct_schemas
from ingress.http.api.campaigns import CampaignAnswer, CampaignTaken
from ingress.http.api.caps import HeardCap, SavedCap
from ingress.http.api.certificates import CertificateAnswer, CertificatesAnswer, ChainAnswer, DecisionAnswer
from ingress.http.api.commanding import CommandAnswer
from ingress.http.api.customer_information import CustomerTextAnswer
from ingress.http.api.local_lists import Checked
from ingress.http.api.quirks import QuirkProfilePublic, StationQuirks, SuggestedQuirk
from ingress.http.api.signed_values import SignedValue
from ingress.http.api.sites import CheckedSite, SavedSeries, SavedSite
from ingress.http.api.station_records import StationPublic, StationsSaved
from ingress.http.api.status import StatusAnswer
from ingress.http.api.tariffs import AssignmentAnswer
from ingress.http.api.tokens import ImportAnswer, TokenPublic
from ingress.http.api.words import WORDS
from ingress.http.local_lists import Synced
from ingress.http.plan_words import Explanation, SitePlanView
from ingress.http.problems import ProblemBody
from ingress.http.services import ScrapeTarget
from ingress.http.site_day import SiteDay
from storage.blocks.registry import TABLES
from storage.queries.rows import (
    CommandRow,
    EventRow,
    MessageRow,
    StationDetail,
    TokenRow,
    TransactionDetail,
)

STRUCTS: tuple[type, ...] = (
    AssignmentAnswer,
    CustomerTextAnswer,
    CertificateAnswer,
    CertificatesAnswer,
    ChainAnswer,
    DecisionAnswer,
    CampaignAnswer,
    CampaignTaken,
    CheckedSite,
    DriverRequest,
    HeardCap,
    HeldCap,
    HeldSite,
    SavedCap,
    SavedSeries,
    SavedSite,
    QuirkProfilePublic,
    StationQuirks,
    SuggestedQuirk,
    CommandAnswer,
    CommandRow,
    EventRow,
    Explanation,
    SiteDay,
    SitePlanView,
    ImportAnswer,
    Synced,
    Checked,
    MessageRow,
    ProblemBody,
    ScrapeTarget,
    SignedValue,
    StationDetail,
    StationPublic,
    StationsSaved,
    StatusAnswer,
    TokenPublic,
    TokenRow,
    TransactionDetail,
)
"""What routes answer with; what these hold comes along."""

TEXT = """
The one way in for people and programs. Every request carries `Authorization: Bearer narke_...`; the first key is in the
file `api-key` of the data directory.

Listings come in pages: `limit` rows, then `next` (also as `Link: <...>; rel="next"`) is the cursor of the next page.
Pages follow each other by key, so rows that come or go meanwhile are neither repeated nor skipped. Listings by time can
be followed: ask with `order=oldest` and `follow` as cursor.

Every error is `application/problem+json` (RFC 9457) and says what is wrong, where, and what to do.
"""

TAGS = [
    {"name": "stations", "description": "Stations, their connectors, messages, events and meter values."},
    {"name": "commands", "description": "Commands to stations and what came of them."},
    {"name": "transactions", "description": "Charging transactions."},
    {"name": "tokens", "description": "What drivers present."},
    {"name": "blocks", "description": "What the functional blocks of OCPP keep."},
    {"name": "quirks", "description": "What stations of some makes do otherwise, and what is done about it."},
    {"name": "system", "description": "Narke itself."},
]


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The description; made once, then kept in `app.openapi_schema`."""
    if app.openapi_schema is None:
        app.openapi_schema = _make(app)
    return app.openapi_schema


def _make(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Narke", version=app.version, summary="A charging station management system", description=TEXT.strip(),
        routes=app.routes, tags=TAGS, license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    rows = tuple(table.row for table in TABLES.values())
    schemas.update(struct_schemas((*STRUCTS, *rows, *WORDS.values())))
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key of Narke's."}
    }
    document["security"] = [{"key": []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            _finish(operation)
    return document


def _finish(operation: dict[str, Any]) -> None:
    """Drops what FastAPI assumes of every route (a bare 200), and gives each problem its example."""
    responses = operation["responses"]
    finish_examples(responses)
    if "204" in responses:
        responses.pop("200", None)
    if "requestBody" in operation:
        responses.setdefault("413", {"description": "The body is larger than http.body_bytes_max.", "content": {}})
        responses["413"]["content"] = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    for status, response in responses.items():
        media = response.get("content", {}).get(PROBLEM_MEDIA_TYPE)
        if media is not None and status == "409":
            media["example"] = examples.PROBLEM
