"""Vendors' data: the operator's own handlers of DataTransfer, found by entry points. OCPP 2.1 block P.

A handler is a class (or function) without arguments in a Python distribution that is installed beside Narke:

    [project.entry-points."narke.data_transfer"]
    acme = "acme_narke:AcmeHandler"

It makes a `engine.ports.VendorHandler`. What it says is the station's answer; what it raises, or says too late, is told
as Rejected. It runs within the ingress' loop: it must not block. A station that repeats a message after a lost answer
is heard twice.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

import orjson
import structlog

from engine.model.data_transfer import DataAnswer, DataReported
from engine.ports import VendorHandler

log = structlog.get_logger()

GROUP = "narke.data_transfer"
DATA_BYTES_MAX = 65_536
"""Of an answer; a longer one is told as Rejected."""
STATUSES = frozenset({"Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"})
REJECTED = DataAnswer(status="Rejected")


class VendorData:
    """The handlers by vendor id; names of vendors know no case (1.6 section 6.17: CiString)."""

    def __init__(self, handlers: Iterable[VendorHandler]) -> None:
        self._handlers: Mapping[str, VendorHandler] = {handler.vendor_id.lower(): handler for handler in handlers}

    @property
    def vendors(self) -> tuple[str, ...]:
        """Whose messages are handled."""
        return tuple(sorted(handler.vendor_id for handler in self._handlers.values()))

    def knows(self, vendor_id: str) -> bool:
        """Whether there is a handler of this vendor."""
        return vendor_id.lower() in self._handlers

    async def answer(self, station: str, report: DataReported) -> DataAnswer:
        """What the vendor's handler says.

        Raises:
            KeyError: There is none (`knows`).
        """
        handler = self._handlers[report.vendor_id.lower()]
        known = handler.message_ids
        if known is not None and report.message_id not in known:
            return DataAnswer(status="UnknownMessageId")
        data = None if report.data is None else orjson.loads(report.data)
        try:
            status, answer = await handler.transfer(station, report.message_id, data)
            written = None if answer is None else orjson.dumps(answer)
        except Exception:  # the handler is not ours: its faults must not be the station's
            log.exception("a vendor's handler failed", station=station, vendor=report.vendor_id)
            return REJECTED
        if status not in STATUSES or (written is not None and len(written) > DATA_BYTES_MAX):
            log.error(
                "a vendor's handler said what cannot be told",
                station=station,
                vendor=report.vendor_id,
                status=status,
                bytes=0 if written is None else len(written),
                what_to_do=f"a status is one of {', '.join(sorted(STATUSES))}, data at most {DATA_BYTES_MAX} bytes",
            )
            return REJECTED
        return DataAnswer(status=status, data=written)


def installed(found: Iterable[EntryPoint] | None = None) -> VendorData:
    """The handlers that are installed; one that cannot be loaded is logged and left out."""
    handlers = []
    for point in entry_points(group=GROUP) if found is None else found:
        try:
            handler: VendorHandler = point.load()()
        except Exception:  # somebody else's code: Narke starts without it
            log.exception("a vendor's handler cannot be loaded", entry_point=point.name, value=point.value)
            continue
        handlers.append(handler)
        log.info("a vendor's handler is loaded", vendor=handler.vendor_id, entry_point=point.name)
    return VendorData(handlers)
