"""How much is measured: the whole benchmark, or the quick one with smaller numbers under the same keys."""

from dataclasses import dataclass

POLITE_PER_S = 1_000.0
"""New connections a second where the way up is not what is measured; as many as `ocpp.accepts_per_s` lets in."""
GROW_S_MAX = 120.0


@dataclass(frozen=True)
class Plan:
    """Numbers of one kind of run.

    Attributes:
        quick: Marked so in the result.
        minutes_max: For all; a row that would end later is left out.
        rounds: Of echo, Narke and library in turns, of which the median counts.
        warm_s: Load before a measurement, not counted.
        load_s: One measurement in closed loop.
        yardstick_s: The same of a yardstick.
        ratio_stations: Of the row `closed_2000`.
        throughput_stations: Of `closed_100`, `closed_1000`, `closed_5000` and `closed_10000`.
        paced_stations: Of paced rows.
        paced_s: One paced measurement.
        commands: Round trips, each for an idle and a loaded system.
        probes_s: How long the projector's lag is watched.
        storm_stations: Of the storm, and of memory per station.
        storm_tls_stations: Of the storm with security profile 2.
        storm_s_max: After which the storm has failed.
        cap_stations: Of the row `cap`.
        rest_s: Quiet before memory is read.
        literal_stations: Of literal mode.
        literal_s: One measurement of it.
        share_narke: Memory and storm are measured on the same Narke as the loads, not on a fresh one.
    """

    quick: bool
    minutes_max: float
    rounds: int
    warm_s: float
    load_s: float
    yardstick_s: float
    ratio_stations: int
    throughput_stations: tuple[int, int, int, int]
    paced_stations: int
    paced_s: float
    commands: int
    probes_s: float
    storm_stations: int
    storm_tls_stations: int
    storm_s_max: float
    cap_stations: int
    rest_s: float
    literal_stations: int
    literal_s: float
    share_narke: bool


WHOLE = Plan(
    quick=False,
    minutes_max=15.0,
    rounds=3,
    warm_s=4.0,
    load_s=10.0,
    yardstick_s=5.0,
    ratio_stations=2_000,
    throughput_stations=(100, 1_000, 5_000, 10_000),
    paced_stations=5_000,
    paced_s=30.0,
    commands=1_000,
    probes_s=30.0,
    storm_stations=10_000,
    storm_tls_stations=5_000,
    storm_s_max=90.0,
    cap_stations=10_000,
    rest_s=15.0,
    literal_stations=50,
    literal_s=10.0,
    share_narke=False,
)
QUICK = Plan(
    quick=True,
    minutes_max=2.0,
    rounds=1,
    warm_s=0.3,
    load_s=1.0,
    yardstick_s=1.0,
    ratio_stations=1_000,
    throughput_stations=(100, 500, 1_000, 2_000),
    paced_stations=1_000,
    paced_s=2.0,
    commands=50,
    probes_s=2.0,
    storm_stations=1_000,
    storm_tls_stations=500,
    storm_s_max=30.0,
    cap_stations=500,
    rest_s=0.5,
    literal_stations=2,
    literal_s=2.0,
    share_narke=True,
)
