"""Examples of plans for the description of the API: the site of `examples`, a garage with two cars."""

from datetime import timedelta

from engine.model.plans import Competitor, PlanStep
from ingress.http.api.examples import NOON
from ingress.http.plan_words import CapNow, CarPlan, EvseExplained, Explanation, LastPlan, NodeUse, SitePlanView
from ingress.http.site_day import CarCurve, PhaseCurve, SiteDay

_HOUR = timedelta(hours=1)
_GRID = NodeUse(
    node="grid",
    kind="grid",
    parent=None,
    depth=0,
    name="Grid connection",
    kw=17.9,
    a=(27.0, 26.0, 25.0),
    limit_kw=22.0,
    limit_a=(63.0, 63.0, 63.0),
    cap_kw=22.0,
    others_kw=4.1,
)
_BOARD = NodeUse(
    node="board-1",
    kind="board",
    parent="grid",
    depth=1,
    name=None,
    kw=17.9,
    a=(27.0, 26.0, 25.0),
    limit_a=(32.0, 32.0, 32.0),
)
_EVSE = NodeUse(node="CP-0001-1", kind="evse", parent="board-1", depth=2, name=None, kw=7.6, a=(11.0, 11.0, 11.0))
_CAR = CarPlan(
    node="CP-0001-1",
    station="CP-0001",
    evse=1,
    at=NOON,
    current_a=11.0,
    power_kw=7.6,
    phases=3,
    why="row",
    layer="horizon",
    allocator="narke",
    sent=True,
    before_a=13.0,
    binding="grid kW",
    binding_limit=17.9,
    binding_used=17.9,
    unit="kW",
    competitors=(Competitor("CP-0002-1", 15.0),),
    energy_kwh=12.4,
    departs_at=NOON + 5 * _HOUR,
    need="12.4 kWh by 17:00, from the history of the token",
    plan=(PlanStep(NOON, 11.0), PlanStep(NOON + _HOUR, 16.0)),
    trigger="cap operator",
    transaction_id="4711",
    token="04A1B2C3",  # noqa: S106 (a card)
    since=NOON - _HOUR,
    energy_wh=6_200.0,
    charging_state="Charging",
)
_LAST = LastPlan(
    at=NOON,
    layer="horizon",
    allocator="narke",
    cars=2,
    paused=0,
    changed=1,
    solve_ms=4.2,
    planned_kw=17.9,
    unmanaged_kw=4.1,
    limit_kw=22.0,
    delivered_share=1.0,
    trigger="cap operator",
)
_CAP = CapNow(
    source="operator",
    node="",
    direction="import",
    status="live",
    kw=22.0,
    fallback_kw=None,
    valid_until=NOON + 2 * _HOUR,
    heard_at=NOON,
    priority=0,
    emergency=False,
)
PLAN = SitePlanView(
    site="garage-north",
    name="Garage North",
    time_zone="Europe/Berlin",
    now=NOON,
    enabled=True,
    planned=_LAST,
    nodes=(_GRID, _BOARD, _EVSE),
    cars=(_CAR,),
    caps=(_CAP,),
    alerts=(),
)
EXPLANATION = Explanation(
    station="CP-0001",
    site="garage-north",
    site_name="Garage North",
    time_zone="Europe/Berlin",
    now=NOON,
    planned=_LAST,
    evses=(EvseExplained(evse=1, node="CP-0001-1", current_a_max=32.0, car=_CAR, path=(_EVSE, _BOARD, _GRID)),),
    caps=(_CAP,),
    alerts=(),
)
DAY = SiteDay(
    site="garage-north",
    name="Garage North",
    time_zone="Europe/Berlin",
    start_at=NOON - 14 * _HOUR,
    slots=2,
    now_slot=1,
    cars=(CarCurve(node="CP-0001-1", label="CP-0001", kw=(7.4, 7.6)),),
    others_kw=(4.0, 4.1),
    limit_kw=(43.0, 22.0),
    phase_node="board-1",
    phases=(PhaseCurve(line="L1", cars_a=(26.0, 27.0), others_a=(0.0, 0.0), limit_a=(32.0, 32.0)),),
    price=(0.21, 0.34),
)
