"""What the actors count. Labels are resolved once, turns are observed as a whole."""

from prometheus_client import Counter, Gauge, Histogram

_FAST_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

directory_version = Gauge(
    "narke_directory_version", "Version of the placement table; grows when units move", multiprocess_mode="max"
)
turn_seconds = Histogram(
    "narke_actor_turn_seconds", "Time of a station actor's turn, by stage", ["stage"], buckets=_FAST_S
)
turn_deliveries = Histogram("narke_actor_turn_deliveries", "Events decided in one turn", buckets=_SIZES)
mailbox_deliveries = Gauge("narke_actor_mailbox_deliveries", "Events waiting for a turn", multiprocess_mode="livesum")
stations_hosted = Gauge("narke_actor_stations_hosted", "Stations held in memory", multiprocess_mode="livesum")
facts = Counter("narke_facts", "Facts committed", ["fact"])
retries = Counter("narke_actor_retries", "Deliveries sent back without a decision", ["reason"])
repeats = Counter("narke_actor_repeats", "Deliveries recognised as repeats and answered from the record")
bugs = Counter("narke_actor_bugs", "Decisions that raised; each is in the log with its station")
commands_settled = Counter("narke_commands_settled", "Commands to stations that ended", ["result"])
security_events = Counter(
    "narke_security_events",
    "Security events that stations told of, by OCPP's name and whether it is critical",
    ["event", "critical"],
)
transactions_opened = Counter("narke_transactions_opened", "Transactions opened")
transactions_ended = Counter("narke_transactions_ended", "Transactions ended")
energy_wh = Counter("narke_energy_wh", "Energy of ended transactions in Wh")
projector_lag_seconds = Gauge(
    "narke_projector_lag_seconds",
    "Age of the oldest entry of the last write to PostgreSQL",
    multiprocess_mode="livemax",
)
projector_entries = Counter("narke_projector_entries", "Journal entries written to PostgreSQL")
projector_failures = Counter("narke_projector_failures", "Attempts to write to PostgreSQL that failed", ["reason"])

STAGES = {stage: turn_seconds.labels(stage) for stage in ("fetch", "decide", "commit", "whole")}

_SOLVE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
planner_plans = Counter("narke_planner_plans", "Plans of sites, by the rung of the ladder that made them", ["layer"])
planner_solve_seconds = Histogram(
    "narke_planner_solve_seconds", "Time that the plan of one site took its allocator", buckets=_SOLVE_S
)
planner_repairs = Counter("narke_planner_repairs", "Plans that broke a limit and were cut down before they were sent")
planner_orders = Counter("narke_planner_orders", "Orders to stations that planners made")
planner_orders_recorded = Counter("narke_planner_orders_recorded", "Orders that are on record at their station")
planner_facts = Counter("narke_planner_facts", "Facts that planners heard of stations of their sites")
planner_lag_seconds = Gauge(
    "narke_planner_lag_seconds", "Age of the last entry that a planner heard, then", multiprocess_mode="livemax"
)
planner_sites = Gauge("narke_planner_sites", "Sites that are planned", multiprocess_mode="livesum")
planner_cars = Gauge("narke_planner_cars", "Cars in the last plans of their sites", multiprocess_mode="livesum")
planner_alerts = Gauge("narke_planner_alerts", "Alerts about sites that are raised", multiprocess_mode="livesum")
planner_restores = Counter("narke_planner_restores", "Restores of a planner from PostgreSQL", ["reason"])
planner_untold = Counter("narke_planner_untold", "Decisions that were dropped because Redis was away for too long")
