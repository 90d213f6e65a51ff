"""What a good station of each version says when somebody charges: the same story in each version's words."""

from datetime import UTC, datetime, timedelta

from engine.model.transactions import TransactionEnded, TransactionOpened, TransactionUpdated
from tests.conformance.conversation import DRIVER, V16, Conversation

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
TX = "tx-1"


def at(seconds):
    return (BEGIN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Charging:
    """A transaction of a `Conversation`. 1.6 words where the version is 1.6, else 2.x's."""

    def __init__(self, conversation: Conversation, *, evse=1, transaction=TX):
        self.conversation = conversation
        self.version = conversation.version
        self.evse = evse
        self.transaction = transaction
        self.sequence = -1

    def status(self, word, seconds=0):
        """`word` of 1.6; 2.x knows Available and Occupied of these."""
        if self.version is V16:
            said = {"connectorId": self.evse, "errorCode": "NoError", "status": word, "timestamp": at(seconds)}
        else:
            known = word if word in ("Available", "Unavailable", "Faulted", "Reserved") else "Occupied"
            said = {"evseId": self.evse, "connectorId": 1, "connectorStatus": known, "timestamp": at(seconds)}
        return self.conversation.says("StatusNotification", said)

    def authorize(self, value=DRIVER):
        """The status that the driver's token has."""
        if self.version is V16:
            return self.conversation.says("Authorize", {"idTag": value})["idTagInfo"]
        said = {"idToken": {"idToken": value, "type": "ISO14443"}}
        return self.conversation.says("Authorize", said)["idTokenInfo"]

    def start(self, value=DRIVER, seconds=10, meter_wh=1_000, **more):
        """What the driver is told. 1.6's number is `transaction` from now on."""
        if self.version is V16:
            said = {"connectorId": self.evse, "idTag": value, "meterStart": meter_wh, "timestamp": at(seconds)}
            answer = self.conversation.says("StartTransaction", said | more)
            self.transaction = answer["transactionId"]
            return answer["idTagInfo"]
        token = {} if value is None else {"idToken": {"idToken": value, "type": "ISO14443"}}
        answer = self.event("Started", "Authorized", seconds, meter_wh, "Transaction.Begin", **token, **more)
        return answer.get("idTokenInfo")

    def meter(self, meter_wh, seconds=60, **more):
        if self.version is V16:
            value = {"timestamp": at(seconds), "sampledValue": [{"value": str(meter_wh)}]}
            said = {"connectorId": self.evse, "transactionId": self.transaction, "meterValue": [value]}
            return self.conversation.says("MeterValues", said)
        return self.event("Updated", "MeterValuePeriodic", seconds, meter_wh, "Sample.Periodic", **more)

    def stop(self, reason="Local", seconds=3_600, meter_wh=8_000, value=None, **more):
        """What the driver is told of a token that was shown for it."""
        if self.version is V16:
            said = {"transactionId": self.transaction, "meterStop": meter_wh, "timestamp": at(seconds)}
            said |= {"reason": reason} | ({} if value is None else {"idTag": value}) | more
            return self.conversation.says("StopTransaction", said).get("idTagInfo")
        token = {} if value is None else {"idToken": {"idToken": value, "type": "ISO14443"}}
        info = {"stoppedReason": reason}
        answer = self.event("Ended", "StopAuthorized", seconds, meter_wh, "Transaction.End", info=info, **token, **more)
        return answer.get("idTokenInfo")

    def event(self, kind, trigger, seconds, meter_wh=None, context=None, *, info=None, **more):
        """2.x: one TransactionEvent."""
        self.sequence += 1
        said = {
            "eventType": kind,
            "timestamp": at(seconds),
            "triggerReason": trigger,
            "seqNo": self.sequence,
            "transactionInfo": {"transactionId": self.transaction, **(info or {})},
            "evse": {"id": self.evse, "connectorId": 1},
        }
        if meter_wh is not None:
            sampled = {"value": meter_wh, "context": context}
            said["meterValue"] = [{"timestamp": at(seconds), "sampledValue": [sampled]}]
        return self.conversation.says("TransactionEvent", said | more)

    @property
    def opened(self):
        return self._facts(TransactionOpened)

    @property
    def updated(self):
        return self._facts(TransactionUpdated)

    @property
    def ended(self):
        return self._facts(TransactionEnded)

    def _facts(self, kind):
        return [fact for fact in self.conversation.of(kind) if fact.transaction_id == str(self.transaction)]
