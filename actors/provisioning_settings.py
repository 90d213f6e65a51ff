"""Settings of boots, reports and transactions: what the operator chooses where OCPP leaves a choice."""

from typing import Literal

from pydantic import BaseModel, Field

from engine.model.transactions import TransactionLimit
from engine.station.policy import OnBoot, ProvisioningPolicy, Superseded, TransactionPolicy


class ProvisioningSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[provisioning]`."""

    interval_jitter: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Share by which intervals differ from station to station, so that a fleet does not beat in step "
        "after a power cut: heartbeats are told up to so much shorter, boot retries longer. 0: all the same.",
    )
    on_boot: Literal["none", "report"] = Field(
        "none",
        description="What an accepted station is asked after its boot: report, its whole device model (1.6: all "
        "configuration keys), if that is not known for its firmware or a changed value waited for the restart.",
    )
    on_boot_after_s: float = Field(
        5.0, ge=1, le=3600, description="Seconds after its boot in which a station is asked nothing by itself."
    )
    on_boot_spread_s: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="Seconds over which `on_boot` spreads its questions to a fleet that boots at once.",
    )
    report_part_s: float = Field(
        120.0, ge=1, le=3600, description="Seconds after which the next part of a report counts as missing."
    )
    reset_s: float = Field(
        600.0, ge=10, le=86_400, description="Seconds in which a station that accepted a reset should boot."
    )
    start_s: float = Field(
        180.0,
        ge=10,
        le=86_400,
        description="Seconds in which a transaction should begin after an accepted remote start; give more than the "
        "stations' EVConnectionTimeOut (1.6: ConnectionTimeOut).",
    )
    stop_s: float = Field(
        180.0, ge=10, le=86_400, description="Seconds in which a transaction should end after an accepted remote stop."
    )

    @property
    def policy(self) -> ProvisioningPolicy:
        """In the engine's words."""
        return ProvisioningPolicy(
            interval_jitter=self.interval_jitter,
            on_boot=OnBoot(self.on_boot),
            on_boot_after_s=self.on_boot_after_s,
            on_boot_spread_s=self.on_boot_spread_s,
            report_part_s=self.report_part_s,
            reset_s=self.reset_s,
            start_s=self.start_s,
            stop_s=self.stop_s,
        )


class TransactionSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[transactions]`."""

    superseded: Literal["flag", "close"] = Field(
        "flag",
        description="What becomes of an open transaction when a younger one begins at its connector: flag, it stays "
        "open, for its stop may still come; close, it is ended with its last reading, and a stop that comes after all "
        "corrects that.",
    )
    energy_wh_max: float | None = Field(
        None, gt=0, description="Energy in Wh that stations of OCPP 2.1 are told as a transaction's limit (E16)."
    )
    time_s_max: int | None = Field(
        None, ge=1, le=31_536_000, description="Seconds that they are told as a transaction's limit, from its start."
    )
    soc_percent_max: int | None = Field(
        None, ge=1, le=100, description="State of charge in percent that they are told as a transaction's limit."
    )

    @property
    def policy(self) -> TransactionPolicy:
        """In the engine's words."""
        limit = TransactionLimit(
            energy_wh_max=self.energy_wh_max, time_s_max=self.time_s_max, soc_percent_max=self.soc_percent_max
        )
        return TransactionPolicy(
            superseded=Superseded(self.superseded), limit=None if limit == TransactionLimit() else limit
        )
