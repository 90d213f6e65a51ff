"""Settings of the wire: leases, message budget, verification, quarantine."""

from pydantic import BaseModel, Field, model_validator


class WireSettings(BaseModel, frozen=True, extra="forbid"):
    """How plans are told to stations, and how it is watched that they keep to them."""

    lease_s: float = Field(
        default=3600.0,
        ge=300,
        le=43_200,
        description="Seconds for which a planned limit is good at least. When it ends without news, the station falls "
        "to its static share: so long may a site be without its planner before anything changes.",
    )
    boundary_s: int = Field(
        default=1800,
        ge=900,
        le=7200,
        multiple_of=900,
        description="Seconds between the moments at which leases may end (full hours and halves by default): all "
        "leases of a site end together, so that what they fall to fits together.",
    )
    renew_s: float = Field(
        default=1200.0,
        ge=60,
        le=21_600,
        description="Seconds before its end from which a lease is renewed; those of idle outlets and defaults earlier.",
    )
    spread_s: float = Field(
        default=480.0,
        ge=0,
        le=7200,
        description="Seconds over which the renewals of a site are spread, so that they do not go out all at once.",
    )
    significance_a: float = Field(
        default=1.0,
        ge=0,
        le=16,
        description="A by which a limit must change before the station is told; what a limit of the site demands goes "
        "out whatever it is.",
    )
    clock_s: float = Field(
        default=30.0,
        ge=0,
        le=300,
        description="Seconds by which a station's clock may be off: decreases in its schedule come so much earlier, "
        "increases so much later, and nobody else relies on them before.",
    )
    backdate_s: int = Field(
        default=3600,
        ge=0,
        le=86_400,
        description="Seconds before now at which schedules begin, so that a station whose clock is behind (by a "
        "time zone, say) has one that counts already.",
    )
    interval_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="Seconds between two messages to an outlet at least, unless a limit demands one or it is urgent.",
    )
    patience_s: float = Field(
        default=20.0,
        ge=0,
        le=600,
        description="Seconds for which an increase waits for the decreases of others before it takes the part that "
        "fits already.",
    )
    orders_max: int = Field(
        default=2000, ge=1, le=100_000, description="Orders of a site that may be on their way at one time."
    )
    deadline_s: float = Field(
        default=30.0, ge=1, le=600, description="Seconds until an order that was not answered is given up."
    )
    retry_s: float = Field(
        default=5.0,
        ge=0.1,
        le=600,
        description="Seconds before an order that failed is tried again; doubled each time.",
    )
    retry_s_max: float = Field(default=300.0, ge=1, le=86_400, description="Seconds between tries at most.")
    refusals_max: int = Field(
        default=2,
        ge=1,
        le=20,
        description="Refusals in a row of one kind of profile after which the station is taken not to support it.",
    )
    probe: bool = Field(
        default=True, description="Whether stations are asked what they can, once for each firmware version."
    )
    dynamic: bool = Field(
        default=True,
        description="Whether OCPP 2.1 stations that support dynamic profiles get those: a change of the limit is then "
        "a short message.",
    )
    offline_s: int = Field(
        default=900,
        ge=0,
        le=86_400,
        description="Seconds offline after which a dynamic profile is not valid any more (OCPP 2.1, where supported).",
    )
    verify_s: float = Field(
        default=90.0,
        ge=5,
        le=3600,
        description="Seconds after its yes within which a station must draw no more than it may.",
    )
    tolerance_a: float = Field(
        default=1.0, ge=0, le=16, description="A above its limit that an outlet may be measured at."
    )
    tolerance_share: float = Field(
        default=0.05, ge=0, le=0.5, description="Share of its limit above it that an outlet may be measured at."
    )
    quarantine: bool = Field(
        default=True,
        description="Whether a station that draws more than it may, also after it was told again, is left at its "
        "static share and counted with its outlet's maximum.",
    )
    quarantine_quiet_s: float = Field(
        default=14_400.0,
        ge=60,
        le=2_592_000,
        description="Seconds of keeping to its limit after which a station leaves the quarantine by itself.",
    )
    wake_s: float = Field(
        default=300.0,
        ge=30,
        le=86_400,
        description="Seconds after a pause within which a car should draw again; one that does not is reported.",
    )
    audit_s: float | None = Field(
        default=None,
        ge=300,
        description="Seconds between two questions to an outlet for its composite schedule, to compare it with what "
        "it was told; none: never.",
    )

    @model_validator(mode="after")
    def _renewed_in_time(self) -> "WireSettings":
        if self.renew_s + 2 * self.spread_s >= self.lease_s:
            raise ValueError(
                f"renew_s ({self.renew_s:g}) and twice spread_s ({self.spread_s:g}) must be less than lease_s "
                f"({self.lease_s:g}): a lease is renewed after it was given"
            )
        return self
