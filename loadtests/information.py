"""What a virtual station shows and tells people: display messages, costs, what it knows of a customer; vendor data.

Sources: 2.1 O01 to O06, I02, N09 and N10, P01; 1.6 section 5.6.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from loadtests.device_model import REPORT_ITEMS
from loadtests.host import ACCEPTED, REJECTED, Host, busy
from loadtests.wording import Payload
from loadtests.wording.words import stamp

MESSAGES_MAX = 10
VENDOR = "org.narke.virtual"
"""The vendor whose data a virtual station understands: it gives the data back for the message `echo`."""
_FORMATS = ("ASCII", "HTML", "URI", "UTF8")


class Information:
    """SetDisplayMessage, GetDisplayMessages, ClearDisplayMessage, CostUpdated, CustomerInformation, DataTransfer."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._messages: dict[int, tuple[Payload, Callable[[], None] | None]] = {}

    # Display messages

    def set_message(self, payload: Payload) -> Payload:
        """2.1 O01 and O02: the same number replaces; one that names a transaction goes with it."""
        message = payload["message"]
        contents = message["message"]
        if (contents if isinstance(contents, dict) else contents[0])["format"] not in _FORMATS:
            return {"status": "NotSupportedMessageFormat"}
        transaction = message.get("transactionId")
        if transaction is not None and all(charge.id != transaction for _, charge in busy(self._host.connectors)):
            return {"status": "UnknownTransaction"}
        if message["id"] not in self._messages and len(self._messages) >= MESSAGES_MAX:
            return dict(REJECTED)
        self._forget(message["id"])
        ends = message.get("endDateTime")
        call_off = None
        if ends is not None:
            at = datetime.fromisoformat(ends)
            wait_s = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - self._host.clock()
            call_off = self._host.later(max(0.0, wait_s), partial(self._expire, message["id"]))
        self._messages[message["id"]] = message, call_off
        return dict(ACCEPTED)

    def get_messages(self, payload: Payload) -> Payload:
        """2.1 O03 and O04."""
        numbers = payload.get("id")
        found = [
            message
            for number, (message, _) in self._messages.items()
            if (numbers is None or number in numbers)
            and payload.get("priority") in (None, message["priority"])
            and payload.get("state") in (None, message.get("state"))
        ]
        if not found:
            return {"status": "Unknown"}
        for first in range(0, len(found), REPORT_ITEMS):
            part: Payload = {"requestId": payload["requestId"], "messageInfo": found[first : first + REPORT_ITEMS]}
            if first + REPORT_ITEMS < len(found):
                part["tbc"] = True
            self._host.tell("NotifyDisplayMessages", part)
        return dict(ACCEPTED)

    def clear_message(self, payload: Payload) -> Payload:
        """2.1 O05."""
        return dict(ACCEPTED) if self._forget(payload["id"]) else {"status": "Unknown"}

    def charge_ended(self, transaction_id: str | None) -> None:
        """Messages of a transaction go with it."""
        for number in [key for key, (each, _) in self._messages.items() if "transactionId" in each]:
            if self._messages[number][0]["transactionId"] == transaction_id:
                self._forget(number)

    def _expire(self, number: int) -> None:
        self._forget(number)

    def _forget(self, number: int) -> bool:
        _, call_off = found = self._messages.pop(number, (None, None))
        if call_off is not None:
            call_off()
        return found[0] is not None

    # Money and people

    def cost_updated(self, payload: Payload) -> Payload:
        """2.1 I02."""
        for _, charge in busy(self._host.connectors):
            if charge.id == payload["transactionId"]:
                charge.cost = payload["totalCost"]
        return {}

    def customer(self, payload: Payload) -> Payload:
        """2.1 N09 and N10: told in one part, cut at 512 characters; nothing is kept that could be cleared."""
        if not (payload["report"] or payload["clear"]):
            return dict(REJECTED)
        wanted = (payload.get("idToken") or {}).get("idToken") or payload.get("customerIdentifier")
        charging = [charge for _, charge in busy(self._host.connectors) if wanted in (None, charge.token)]
        lines = [f"token {each.token} charges at {each.connector} in {each.id}" for each in charging]
        if payload["report"]:
            self._host.tell(
                "NotifyCustomerInformation",
                {
                    "data": "; ".join(lines)[:512],
                    "seqNo": 0,
                    "generatedAt": stamp(self._host.now()),
                    "requestId": payload["requestId"],
                },
            )
        return dict(ACCEPTED)

    @staticmethod
    def data_transfer(payload: Payload) -> Payload:
        """1.6 section 5.6, 2.1 P01."""
        if payload["vendorId"] != VENDOR:
            return {"status": "UnknownVendorId"}
        if payload.get("messageId") != "echo":
            return {"status": "UnknownMessageId"}
        return ACCEPTED | ({"data": payload["data"]} if "data" in payload else {})
