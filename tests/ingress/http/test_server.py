"""The server: on a port of ours, in a loop that runs already, without signal handlers."""

import asyncio
import signal

import httpx2
import pytest

from ingress.http.app import create_app
from ingress.http.server import HttpPortUnavailable, HttpServer
from tests.ingress.http.house import KEYS, TestHouse


@pytest.fixture
async def running():
    house = TestHouse()
    server = HttpServer(create_app(house.services), "127.0.0.1", 0)
    await server.start()
    yield server, house
    await server.stop()


async def test_requests_are_answered_once_start_returns(running):
    server, house = running
    house.add_station("CP-1")
    async with httpx2.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {KEYS['read']}"}) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/api/v1/stations")).json()["items"][0]["station"] == "CP-1"
        assert (await client.get("/api/v1/nope")).headers["content-type"] == "application/problem+json"
        assert "server" not in (await client.get("/healthz")).headers


async def test_a_body_too_large_is_refused_over_a_real_socket(running):
    server, _ = running

    async def endless():
        for _ in range(200):
            yield b" " * 65_536

    async with httpx2.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {KEYS['admin']}"}) as client:
        headers = {"Content-Type": "application/json"}
        response = await client.put("/api/v1/tokens/T", content=b"x" * (4 * 1024 * 1024 + 1), headers=headers)
        assert response.status_code == 413
        try:
            response = await client.put("/api/v1/tokens/T", content=endless(), headers=headers)
        except (httpx2.WriteError, httpx2.ReadError):  # the door was shut while we were still sending: as good
            return
        assert response.status_code == 413


async def test_signals_stay_with_the_process():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = HttpServer(create_app(TestHouse().services), "127.0.0.1", 0)
    await server.start()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    await server.stop()


async def test_a_busy_port_is_told_with_what_to_do(running):
    server, _ = running
    second = HttpServer(create_app(TestHouse().services), "127.0.0.1", server.port)
    with pytest.raises(HttpPortUnavailable, match=rf"{server.port} is in use.*--http-port"):
        await second.start()
    await second.stop()


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
async def test_an_address_of_another_machine_is_told(host):
    with pytest.raises(HttpPortUnavailable, match=r"no address of this machine"):
        await HttpServer(create_app(TestHouse().services), host, 0).start()


async def test_the_port_is_free_again_at_once():
    server = HttpServer(create_app(TestHouse().services), "127.0.0.1", 0)
    await server.start()
    port = server.port
    async with httpx2.AsyncClient(base_url=server.url) as client:
        await client.get("/healthz")
    await server.stop()
    again = HttpServer(create_app(TestHouse().services), "127.0.0.1", port)
    await again.start()
    await again.stop()


async def test_a_running_request_is_finished_before_the_door_closes():
    house = TestHouse()
    house.add_station("CP-1")
    arrived, go_on = asyncio.Event(), asyncio.Event()
    answer = house.gateway.command

    async def slow(request):
        arrived.set()
        await go_on.wait()
        return await answer(request)

    house.gateway.command = slow
    server = HttpServer(create_app(house.services), "127.0.0.1", 0)
    await server.start()
    async with httpx2.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {KEYS['operate']}"}
    ) as client:
        request = asyncio.create_task(client.post("/api/v1/stations/CP-1/reset", json={}))
        await arrived.wait()
        stopping = asyncio.create_task(server.stop())
        go_on.set()
        assert (await request).status_code == 200
        await stopping


def test_the_url_leads_to_this_machine_when_bound_to_all():
    assert HttpServer(None, "0.0.0.0", 8080).url == "http://127.0.0.1:8080"
    assert HttpServer(None, "::1", 8080).url == "http://[::1]:8080"
