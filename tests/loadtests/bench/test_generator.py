"""Orders of the driver, one by one."""

import pytest

from loadtests.bench.crew import Crew
from loadtests.bench.generator import obey
from tests.loadtests.bench.servers import Csms, until


async def test_orders_do_what_they_say():
    async with Csms().running() as csms:
        crew = Crew(csms.url, "B-", "abcdefgh", "TOKEN", 1)
        way = {"per_s": 0.0, "statuses": False, "transaction": False, "deadline_s": 10.0}
        assert (await obey(crew, {"do": "grow", "stations": 2, "way": way}))["up"] == 2
        assert await obey(crew, {"do": "load", "stations": 2, "in_flight": 2, "rate": 0.0}) == {}
        await until(lambda: csms.heard["MeterValues"] > 2)
        assert await obey(crew, {"do": "halt", "deadline_s": 5.0}) == {"missing": 0}
        assert (await obey(crew, {"do": "mark"}))["answered"] > 2
        assert await obey(crew, {"do": "drop"}) == {}
        await until(lambda: not csms.connections)


async def test_an_order_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="not known"):
        await obey(Crew("ws://127.0.0.1:1/ocpp", "B-", "abcdefgh", "TOKEN", 1), {"do": "dance"})
