"""Settings of costs: the section `[costs]`."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator

from engine.station.policy import CostPolicy

DEFAULTS = CostPolicy()


class CostSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[costs]`."""

    time_zone: str = Field(
        DEFAULTS.time_zone,
        description="IANA name of the zone that tariffs' times of day mean, e.g. Europe/Berlin.",
    )
    updates: bool = Field(
        default=DEFAULTS.updates, description="Tell stations of OCPP 2.x the running cost of a transaction."
    )
    update_interval_s: float = Field(
        DEFAULTS.update_interval_s,
        ge=1,
        le=86_400,
        description="Seconds between two messages about the running cost of a transaction, at least.",
    )
    update_least: float = Field(
        DEFAULTS.update_least,
        ge=0,
        le=1_000,
        description="Difference of the cost, in the tariff's currency, below which no message is sent.",
    )
    driver_tariffs: bool = Field(
        default=DEFAULTS.driver_tariffs,
        description="Tell stations of OCPP 2.1 the tariff of a token with the verdict on it. One that cannot read it "
        "may refuse the driver (I08.FR.31).",
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone that this machine knows, write e.g. Europe/Berlin") from error
        return value

    @property
    def policy(self) -> CostPolicy:
        """In the decider's words."""
        return CostPolicy(
            time_zone=self.time_zone,
            updates=self.updates,
            update_interval_s=self.update_interval_s,
            update_least=self.update_least,
            driver_tariffs=self.driver_tariffs,
        )
