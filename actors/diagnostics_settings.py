"""Settings of firmware, logs, reports and event streams: the section `[diagnostics]`."""

from pydantic import BaseModel, Field

from engine.station.policy import DiagnosticsPolicy

DEFAULTS = DiagnosticsPolicy()


class DiagnosticsSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[diagnostics]`."""

    firmware_silence_s: float = Field(
        DEFAULTS.firmware_silence_s,
        ge=60,
        le=2_592_000,
        description="Seconds without news of a firmware update until it is flagged as stalled; twelve times as many "
        "while the station waits on purpose (DownloadScheduled, DownloadPaused, InstallScheduled).",
    )
    log_silence_s: float = Field(
        DEFAULTS.log_silence_s,
        ge=60,
        le=2_592_000,
        description="Seconds without news of a log's upload until it is flagged as stalled.",
    )
    report_silence_s: float = Field(
        DEFAULTS.report_silence_s,
        ge=10,
        le=86_400,
        description="Seconds until the next part of a report (monitors, display messages, customer information) must "
        "have come; after that the rest is flagged as missing.",
    )
    event_streams_max: int = Field(
        DEFAULTS.event_streams_max,
        ge=0,
        le=256,
        description="Periodic event streams that a station of OCPP 2.1 may have open; 0: none, events come instead.",
    )

    @property
    def policy(self) -> DiagnosticsPolicy:
        """In the engine's words."""
        return DiagnosticsPolicy(
            firmware_silence_s=self.firmware_silence_s,
            log_silence_s=self.log_silence_s,
            report_silence_s=self.report_silence_s,
            event_streams_max=self.event_streams_max,
        )
