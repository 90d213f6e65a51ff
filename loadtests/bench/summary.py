"""The result: the figures that everybody quotes, drawn from what the rows told, and whether they meet their targets.

Every key is always there; None says that its row did not tell it, and `failed` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.bench.processes import in_order
from loadtests.bench.ratios import NARKE

Told = Mapping[str, Mapping[str, Any]]
CLOSED = ("closed_100", "closed_1000", "closed_5000", "closed_10000")


@dataclass(frozen=True)
class Target:
    """What issues 3, 4 and 5 ask of a key.

    Attributes:
        key: In the result.
        limit: The bound.
        at_most: Whether it is the largest that is good, else the smallest.
    """

    key: str
    limit: float
    at_most: bool = True

    def met_by(self, value: float) -> bool:
        """Whether this is good enough."""
        return value <= self.limit if self.at_most else value >= self.limit


TARGETS = (
    Target("ratio_to_echo", 3.0),
    Target("ratio_to_library", 0.35),
    Target("ratio_to_echo_64", 7.0),
    Target("throughput_10k_over_100", 0.85, at_most=False),
    Target("storm_10k_s", 20.0),
    Target("storm_10k_timeouts", 0),
    Target("storm_tls_5k_s", 30.0),
    Target("storm_tls_5k_timeouts", 0),
    Target("p99_ms_paced_1000", 50.0),
    Target("kib_per_station", 30.0),
    Target("cap_s", 5.0),
)


def figures(told: Told) -> dict[str, Any]:
    """All keys."""
    return {
        "cpu_us_per_message": _cpu(told, "closed_2000"),
        "ratio_to_echo": _at(told, "closed_2000", "ratios", "echo"),
        "ratio_to_library": _at(told, "closed_2000", "ratios", "library"),
        "cpu_us_per_message_64": _cpu(told, "closed_64"),
        "ratio_to_echo_64": _at(told, "closed_64", "ratios", "echo"),
        "ratio_to_library_64": _at(told, "closed_64", "ratios", "library"),
        "generator_us_per_message": _at(told, "closed_2000", NARKE, "generator_us_per_message"),
        "messages_per_second": {
            str(told[row]["stations"]): told[row]["messages_per_second"] for row in CLOSED if row in told
        }
        or None,
        "throughput_10k_over_100": _ratio(told, ("paced",), ("paced",)),
        "throughput_10k_over_100_in_flight": _ratio(told, ("in_flight_100",), ()),
        "throughput_10k_over_100_closed_loop": _ratio(told, (), ()),
        **_paced(told, 1000),
        **_paced(told, 3000),
        "storm_10k_s": _at(told, "storm", "seconds"),
        "storm_10k_timeouts": _at(told, "storm", "timeouts"),
        "storm_tls_5k_s": _at(told, "storm_tls", "seconds"),
        "storm_tls_5k_timeouts": _at(told, "storm_tls", "timeouts"),
        "kib_per_station": _at(told, "memory", "kib_per_station"),
        "command_p50_ms": _at(told, "commands", "idle_ms", "p50"),
        "command_p99_ms": _at(told, "commands", "idle_ms", "p99"),
        "command_p99_ms_paced_1000": _at(told, "commands", "loaded_ms", "p99"),
        "projector_lag_p50_ms": _at(told, "projector_lag", "lag_ms", "p50"),
        "projector_lag_p99_ms": _at(told, "projector_lag", "lag_ms", "p99"),
        "cap_s": _at(told, "cap", "seconds"),
        "literal_cpu_us_per_message": _at(told, "literal", "cpu_us_per_message_all"),
        "literal_messages_per_second": _at(told, "literal", "messages_per_second"),
        "literal_kib_per_station": _at(told, "literal", "kib_per_station"),
    }


def targets(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By key: the bound, and whether it is met; None: it was not measured."""
    return {
        target.key: {
            "limit": target.limit,
            "at_most": target.at_most,
            "met": None if values[target.key] is None else target.met_by(values[target.key]),
        }
        for target in TARGETS
    }


def _cpu(told: Told, row: str) -> dict[str, float] | None:
    spent = _at(told, row, NARKE, "cpu_us_per_message")
    if spent is None:
        return None
    return {part: spent[part] for part in in_order(spent)} | {"all": told[row][NARKE]["cpu_us_per_message_all"]}


def _paced(told: Told, rate: int) -> dict[str, Any]:
    row = f"paced_{rate}"
    names = {"p50": f"p50_ms_{row}", "p99": f"p99_ms_{row}", "p99_9": f"p99_9_ms_{row}"}
    return {key: _at(told, row, "latency_ms", name) for name, key in names.items()}


def _ratio(told: Told, of_most: tuple[str, ...], of_few: tuple[str, ...]) -> float | None:
    most = _at(told, "closed_10000", *of_most, "messages_per_second")
    few = _at(told, "closed_100", *of_few, "messages_per_second")
    return round(most / few, 3) if most is not None and few else None


def _at(told: Told, *path: str) -> Any:
    value: Any = told
    for name in path:
        if value is None or name not in value:
            return None
        value = value[name]
    return value
