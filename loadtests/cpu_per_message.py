"""CPU per message by process: runs a fleet against a Narke of this machine, reads what its processes spent meanwhile.

    python -m loadtests.cpu_per_message --data-dir DIR --stations 2000 --duration 300 --tokens T1,T2

The processes are those of the run file `<data-dir>/run/narke.json`; children count with their parents. The fleet's own
process is not counted. Figures depend on the machine and on what else it does: compare figures of one run only.
"""

import argparse
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

import psutil

from loadtests.fleet import FleetOptions, FleetResult, run_fleet
from loadtests.station import Habits


def cpu_s(processes: Mapping[str, int]) -> dict[str, float]:
    """User and system time of each process and its children, in seconds; those that are gone are left out."""
    spent = {}
    for name, pid in processes.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            spent[name] = sum(_own_s(each) for each in (process, *process.children(recursive=True)))
    return spent


def _own_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def report(result: FleetResult, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """The table. A process that came or went meanwhile is left out of it."""
    messages = max(1, result.messages)
    shares = {name: 1e6 * (after[name] - before[name]) / messages for name in before if name in after}
    whole = (
        f"{result.stations} stations, {result.seconds:.0f} s, {result.messages} messages answered, "
        f"{result.messages_per_second:.0f} a second, p50 {result.p50_ms:.1f} ms, p99 {result.p99_ms:.1f} ms, "
        f"{result.transactions} transactions, {sum(result.failures.values())} failures"
    )
    lines = [
        whole,
        *(f"{name:<14}{share:>8.0f} us of CPU per message" for name, share in sorted(shares.items())),
        f"{'in all':<14}{sum(shares.values()):>8.0f} us of CPU per message",
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs the fleet and prints the table."""
    parser = argparse.ArgumentParser(description="CPU per message of a running Narke, by process.")
    parser.add_argument("--data-dir", type=Path, required=True, help="data directory of the running Narke")
    parser.add_argument("--stations", type=int, default=200)
    parser.add_argument("--duration", type=float, default=60.0, help="seconds")
    parser.add_argument("--meter-interval", type=float, default=10.0, help="seconds between meter values of a charge")
    parser.add_argument("--tokens", default="", help="tokens that drivers present, comma between")
    asked = parser.parse_args()
    run_file = json.loads((asked.data_dir / "run" / "narke.json").read_text(encoding="utf-8"))
    options = FleetOptions(
        stations=asked.stations,
        url=run_file["ocpp_url"],
        duration_s=asked.duration,
        tokens=tuple(filter(None, asked.tokens.split(","))),
        prefix="CPU",
        connect_s=max(2.0, asked.stations / 200),
        habits=Habits(meter_interval_s=asked.meter_interval),
    )
    processes = run_file["processes"]
    before = cpu_s(processes)
    result = run_fleet(options)
    print(report(result, before, cpu_s(processes)))  # noqa: T201 (a command)


if __name__ == "__main__":
    main()
