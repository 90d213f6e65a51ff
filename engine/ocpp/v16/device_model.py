"""The device model in 1.6: its configuration keys are one inventory, told at once (GetConfiguration, section 5.8)."""

from engine.model.device_model import GetBaseReport, GetReport, ReportBase
from engine.ocpp.translation import CommandTranslator, NotExpressible, Payload
from engine.ocpp.versions import Version


def get_configuration_from_get_base_report(command: GetBaseReport, _version: Version) -> tuple[str, Payload]:
    """All keys.

    Raises:
        NotExpressible: The summary, which 1.6 does not know.
    """
    if command.base is ReportBase.SUMMARY:
        raise NotExpressible(
            "OCPP 1.6 has no SummaryInventory: statuses come by trigger_message StatusNotification, keys by "
            f"{ReportBase.FULL.value}"
        )
    return "GetConfiguration", {}


def get_report_is_not_said(_command: GetReport, _version: Version) -> tuple[str, Payload]:
    """Raises NotExpressible: 1.6 has no custom reports."""
    raise NotExpressible("OCPP 1.6 has no custom reports: read the keys by get_variables, or all by get_base_report")


COMMANDS = (
    CommandTranslator(command=GetBaseReport, call=get_configuration_from_get_base_report),
    CommandTranslator(command=GetReport, call=get_report_is_not_said),
)
