"""The generator's process: does what its driver writes to it, a JSON object a line, and answers each with a line.

    python -m loadtests.bench.generator --url ws://127.0.0.1:9000/ocpp --prefix BENCH-

It ends when its standard input ends, so it never outlives its driver. `loadtests.bench.driving` is that driver.
"""

import argparse
import asyncio
import sys
import uuid
from pathlib import Path
from typing import Any

import orjson
import uvloop

from loadtests.bench.crew import Crew, Way

LINE_BYTES_MAX = 65_536


async def obey(crew: Crew, order: dict[str, Any]) -> dict[str, Any]:
    """One order of the driver, by its word `do`.

    Raises:
        ValueError: The order is not known.
    """
    match order:
        case {"do": "grow", "stations": stations, "way": way}:
            return await crew.grow(stations, Way(**way))
        case {"do": "load", "stations": stations, "in_flight": in_flight, "rate": rate}:
            crew.load(stations, in_flight, rate)
            return {}
        case {"do": "halt", "deadline_s": deadline_s}:
            return {"missing": await crew.halt(deadline_s)}
        case {"do": "limits", "since": since, "limit_a": limit_a, "above": above}:
            return crew.limits(since, limit_a, above=above)
        case {"do": "mark"}:
            return crew.mark()
        case {"do": "drop"}:
            crew.drop()
            return {}
        case _:
            raise ValueError(f"an order that is not known: {order}")


async def serve(crew: Crew) -> None:
    """Obeys until the end of standard input."""
    orders = asyncio.StreamReader(LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        answer = await obey(crew, orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
    crew.drop()


def main() -> None:
    """Runs the process."""
    parser = argparse.ArgumentParser(description="A generator of the benchmark; started by it.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--prefix", default="BENCH-")
    parser.add_argument("--token", default="BENCH-TOKEN")
    parser.add_argument("--ca", type=Path, help="stations speak TLS and trust this authority (PEM)")
    parser.add_argument("--secret", help="stations have passwords derived from this (hexadecimal)")
    asked = parser.parse_args()
    run = uuid.uuid4()  # of no seed: two runs with the same message ids would be repeats
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        crew = Crew(asked.url, asked.prefix, run.hex[:8], asked.token, run.int, ca=asked.ca, secret=asked.secret)
        runner.run(serve(crew))


if __name__ == "__main__":
    main()
