"""Settings of the planner: whether it runs, how many share the sites, how often it looks, how plans reach stations."""

from pydantic import BaseModel, Field

from smartcharging.wire.settings import WireSettings

BY = "planner"
"""Who asks for what planners order, on the record."""


class PlannerSettings(BaseModel, frozen=True, extra="forbid"):
    """The section `[planner]`."""

    enabled: bool = Field(
        default=True,
        description="Whether sites are planned. Off: their stations keep what they hold, which falls to their static "
        "shares when its lease ends.",
    )
    actors: int = Field(1, ge=1, le=16, description="Number of planner processes that share the sites.")
    threads: int = Field(2, ge=1, le=64, description="Sites that one planner process solves at the same time.")
    coalesce_s: float = Field(
        0.3,
        ge=0,
        le=10,
        description="Seconds that a site waits for more news after the first, before it is planned anew.",
    )
    pace_s: float = Field(
        1.0, ge=0, le=60, description="Seconds between two plans of a site at least; emergencies do not wait."
    )
    replan_s: float = Field(
        300.0, ge=10, le=900, description="Seconds between two plans of a site at most, without any news."
    )
    horizon_h: float = Field(24.0, ge=1, le=72, description="Hours that a plan looks ahead.")
    slots_max: int = Field(96, ge=1, le=288, description="Slots of a quarter of an hour that a plan has at most.")
    solve_s: float = Field(
        1.0,
        ge=0.01,
        le=60,
        description="Seconds that the plan of a site may take; then the last plan moved on, or the real-time layer, "
        "takes its place.",
    )
    decisions_s: float = Field(
        900.0,
        ge=10,
        le=86_400,
        description="Seconds after which the decision about a car is recorded again although it did not change.",
    )
    load_step_kw: float = Field(
        0.5,
        ge=0,
        le=1_000,
        description="kW by which a metered load must rise for its site to be planned at once, and not in its turn.",
    )
    history_days: float = Field(
        60.0, ge=0, le=730, description="Days of past transactions that departures and energies are forecast from."
    )
    reconcile_s: float = Field(
        600.0,
        ge=30,
        le=86_400,
        description="Seconds between two looks at PostgreSQL and Redis for what was not heard in the streams.",
    )
    wire: WireSettings = Field(WireSettings(), description="How plans are told to stations.")
