"""Operators as Locust users: what people and programs do at REST while the stations charge."""

from random import Random
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from locust import FastHttpUser, tag, task
from locust.env import Environment

from loadtests.swarm.setting import swarm_of
from loadtests.swarm.words import WORDS_OF_VERSION

PAGE_ROWS = 50
PAGES_MAX = 3
API = "/api/v1"


class Operator(FastHttpUser):
    """Lists, looks, and commands. Commands go to stations of this run that the list showed as connected."""

    weight = 1

    def __init__(self, environment: Environment) -> None:
        self._swarm = swarm_of(environment)
        options = self._swarm.options
        self.host = options.rest_url
        self.insecure = options.insecure
        self.default_headers = {"Authorization": f"Bearer {options.api_key or ''}"}
        if options.rest_url.startswith("https:") and not options.insecure:
            self.ssl_context_factory = options.tls
        self.connection_timeout = self.network_timeout = options.answer_s_max
        self._chance = Random(uuid4().hex)
        self._known: list[str] = []
        self._search = self._cursor = ""
        super().__init__(environment)

    def wait_time(self) -> float:
        """Half to one and a half of `--pause`."""
        return self._swarm.pause_s()

    @tag("rest")
    @task(4)
    def list_stations(self) -> None:
        """Some pages of the stations of a version that are connected, on from where the last pages ended."""
        if not self._cursor:
            version = self._chance.choice([*WORDS_OF_VERSION]).replace(".", "")
            self._search = f"{self._swarm.options.prefix}-{version}-"
        known: list[str] = []
        for _ in range(PAGES_MAX):
            query = f"?connected=true&search={self._search}&limit={PAGE_ROWS}{self._cursor}"
            page = self._get(f"/stations{query}", "/stations")
            known += [row["station"] for row in page.get("items", []) if isinstance(row.get("station"), str)]
            self._cursor = f"&cursor={quote(page['next'])}" if page.get("next") else ""
            if not self._cursor:
                break
        self._known = known or self._known

    @tag("rest")
    @task(3)
    def show_station(self) -> None:
        """One station in full."""
        station = self._some_station()
        if station is not None:
            self._get(f"/stations/{station}", "/stations/{station}")

    @tag("rest")
    @task(3)
    def list_transactions(self) -> None:
        """The newest transactions, and those of a station."""
        self._get(f"/transactions?limit={PAGE_ROWS}", "/transactions")
        station = self._some_station()
        if station is not None:
            self._get(f"/transactions?station={station}&limit=10", "/transactions?station")

    @tag("rest", "remote")
    @task(2)
    def trigger_message(self) -> None:
        """A command that every station takes."""
        self._command("trigger", {"message": "Heartbeat"})

    @tag("rest", "remote", "charging")
    @task(1)
    def start_transaction(self) -> None:
        """A transaction from afar; a station whose connectors are taken refuses, and that is no failure."""
        self._command("start", {"token": self._chance.choice(self._swarm.options.tokens)})

    @tag("rest")
    @task(1)
    def check_health(self) -> None:
        """As a load balancer asks."""
        self.client.get("/healthz")
        self.client.get("/readyz")

    def _some_station(self) -> str | None:
        if not self._known:
            self.list_stations()
        return self._chance.choice(self._known) if self._known else None

    def _command(self, verb: str, body: dict[str, Any]) -> None:
        station = self._some_station()
        if station is not None:
            name = f"{API}/stations/{{station}}/{verb}"
            self.client.post(f"{API}/stations/{station}/{verb}", json=body, name=name)

    def _get(self, path: str, name: str) -> dict[str, Any]:
        """The JSON object; empty: there was none, which is reported."""
        with self.client.get(f"{API}{path}", name=f"{API}{name}", catch_response=True) as response:
            if response.status_code != 200:
                return {}  # Locust counts the failure by its status
            try:
                found = response.json()
            except ValueError:
                found = None
            if not isinstance(found, dict):
                response.failure("the answer is no JSON object")
                return {}
            return found
