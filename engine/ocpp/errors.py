"""Protocol errors, split by whose fault they are, and the code that each version answers with.

    OcppError
    |- RemoteError      the station broke the protocol; carries the code to answer with
    |  `- BadFrame      not even a frame can be read; carries what little is known of it
    `- LocalError       we misused the protocol; a fault of ours, the message says which
       `- QueueFull     too many of our calls wait for one station

What a version cannot say is no error but a fact: `engine.ocpp.translation.NotExpressible`.
"""

from enum import StrEnum
from typing import Any

from engine.ocpp.versions import Version

DESCRIPTION_LENGTH_MAX = 255
"""Of an errorDescription that we send (part 4 section 4.2.3)."""


class ErrorCode(StrEnum):
    """The meaning of an error code, spelled as 2.x spells it. `code_text` gives a version's own spelling."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


_SPELLINGS_V16 = {
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    # 1.6 does not know these two; stations loop on codes that they do not know (ocpp-go PR 331)
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "NotSupported",
    ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
}
"""1.6's own spellings: one r, Formation (1.6J section 4.2.3; errata 5.1 and 5.2: will not be fixed)."""

TEXT_OF_CODE: dict[Version, dict[ErrorCode, str]] = {
    Version.V16: {code: _SPELLINGS_V16.get(code, code.value) for code in ErrorCode},
    Version.V201: {code: code.value for code in ErrorCode},
    Version.V21: {code: code.value for code in ErrorCode},
}
"""What each version writes for a code."""

CODE_OF_TEXT: dict[str, ErrorCode] = {
    **{code.value: code for code in ErrorCode},
    "FormationViolation": ErrorCode.FORMAT_VIOLATION,
    "OccurenceConstraintViolation": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
}
"""Every spelling that is in the wild; each is accepted on each version."""


def code_text(code: ErrorCode, version: Version) -> str:
    """How a version spells a code."""
    return TEXT_OF_CODE[version][code]


def code_from_text(text: str) -> ErrorCode | None:
    """The meaning of a code that a station sent; None: a word of its own."""
    return CODE_OF_TEXT.get(text)


class OcppError(Exception):
    """Base of all that goes wrong on the wire."""


class RemoteError(OcppError):
    """The station broke the protocol.

    Args:
        code: What to answer with.
        description: For people at the other end: what is wrong and where. At most 255 characters of it are sent.
        details: errorDetails, an object.
    """

    def __init__(self, code: ErrorCode, description: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code.value}: {description}")
        self.code = code
        self.description = description
        self.details = details or {}


class BadFrame(RemoteError):  # noqa: N818 (names what was received)
    """A frame that cannot be read.

    Args:
        code: As of `RemoteError`.
        description: As of `RemoteError`.
        message_type: MessageTypeId where it could be read.
        message_id: Message id where it could be read.
        numeric_id: The id was written as a number.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str,
        *,
        message_type: int | None = None,
        message_id: str | None = None,
        numeric_id: bool = False,
    ) -> None:
        super().__init__(code, description)
        self.message_type = message_type
        self.message_id = message_id
        self.numeric_id = numeric_id


class LocalError(OcppError):
    """We misused the protocol: a programming fault on our side."""


class QueueFull(LocalError):  # noqa: N818 (names a state, not a fault)
    """Too many of our calls wait for this station."""
