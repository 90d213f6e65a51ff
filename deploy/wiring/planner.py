"""The planners, for who spawns or asks them: their names, and how their processes begin. Light: no numpy here."""

from typing import TYPE_CHECKING

from deploy.settings import Settings
from deploy.wiring.parts import prepare

if TYPE_CHECKING:
    from deploy.wiring.planner_process import PlannerProcess

PLANNER_PREFIX = "planner-"


def planner_names(settings: Settings) -> tuple[str, ...]:
    """Names of the planner processes; none where planning is off."""
    chosen = settings.planner
    return tuple(f"{PLANNER_PREFIX}{number}" for number in range(chosen.actors)) if chosen.enabled else ()


def planner(name: str, settings: Settings) -> "PlannerProcess":
    """A planner's process."""
    from deploy.wiring.planner_process import PlannerProcess  # noqa: PLC0415 (numpy: in that process alone)

    prepare(settings, name)
    return PlannerProcess(name, planner_names(settings), settings)
