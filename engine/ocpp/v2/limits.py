"""What differs between OCPP 2.0.1 and 2.1 on the messages they share, and the bounds that both set.

Read: nothing that a station writes is refused here. Written: what a version cannot hold raises NotExpressible, before
anything is sent. The figures are those of the official schemas.
"""

import msgspec

from engine.model.provisioning import ResetKind
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

NAME_LENGTH_MAX = 50
"""Component and variable names and their instances."""
TRANSACTION_ID_LENGTH_MAX = 36
VENDOR_ID_LENGTH_MAX = 255
MESSAGE_ID_LENGTH_MAX = 50

_TRIGGERS_201 = frozenset(
    {
        "BootNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "PublishFirmwareStatusNotification",
        "SignChargingStationCertificate",
        "SignCombinedCertificate",
        "SignV2GCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one version can say. `token_types` None: any text of up to `token_type_length_max` characters."""

    version: Version
    token_length_max: int
    token_types: frozenset[str] | None
    token_type_length_max: int
    attribute_value_length_max: int
    password_length_max: int
    reset_kinds: frozenset[ResetKind]
    triggers: frozenset[str]


LIMITS_OF = {
    Version.V201: Limits(
        version=Version.V201,
        token_length_max=36,
        token_types=frozenset(
            {"Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"}
        ),
        token_type_length_max=20,
        attribute_value_length_max=1000,
        password_length_max=40,
        reset_kinds=frozenset({ResetKind.IMMEDIATE, ResetKind.ON_IDLE}),
        triggers=_TRIGGERS_201,
    ),
    Version.V21: Limits(
        version=Version.V21,
        token_length_max=255,
        token_types=None,
        token_type_length_max=20,
        attribute_value_length_max=2500,
        password_length_max=64,
        reset_kinds=frozenset(ResetKind),
        triggers=_TRIGGERS_201 | {"SignV2G20Certificate", "CustomTrigger"},
    ),
}
"""By version."""


def require_length(text: str, length_max: int, what: str, version: Version) -> str:
    """The text itself, when it fits.

    Raises:
        NotExpressible: It is longer than `length_max` characters.
    """
    if len(text) > length_max:
        raise NotExpressible(
            f"OCPP {version} holds {length_max} characters in {what}, this one has {len(text)}: use a shorter one"
        )
    return text


def require_name(text: str, what: str, version: Version) -> str:
    """The text itself, when it is a name: not empty and at most 50 characters.

    Raises:
        NotExpressible: It is empty or too long.
    """
    if not text:
        raise NotExpressible(f"OCPP {version} needs {what}: name it")
    return require_length(text, NAME_LENGTH_MAX, what, version)
