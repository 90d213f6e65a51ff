"""Stations as Locust users: one class for each OCPP version, the same tasks for all.

Each task is one thing that happens at a station; tags choose among them (`--tags charging metering`).
"""

from typing import ClassVar

from locust import User, tag, task
from locust.env import Environment

from loadtests.swarm.samples import CallFailed
from loadtests.swarm.setting import swarm_of


class StationUser(User):
    """A station. It answers commands all the time, whatever task is on."""

    abstract = True
    version: ClassVar[str]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._swarm = swarm_of(environment)
        self._station = self._swarm.join(self.version)

    def wait_time(self) -> float:
        """Half to one and a half of `--pause`, another time for each wait."""
        return self._swarm.pause_s()

    def on_start(self) -> None:
        """Tasks begin when the station is connected, has booted and reported its connectors."""
        while True:
            try:
                self._station.wait_ready()
            except CallFailed:
                continue  # the connects that fail are in the statistics
            return

    def on_stop(self) -> None:
        """Ends its transaction and says goodbye."""
        self._swarm.leave(self._station)

    @tag("charging", "metering")
    @task(10)
    def charge(self) -> None:
        """A driver comes, charges and leaves; nobody comes when the scenario's demand is low."""
        if self._swarm.wants_charge(self._station):
            self._station.charge()

    @tag("provisioning")
    @task(3)
    def heartbeat(self) -> None:
        """Heartbeat, beside those that the interval demands."""
        self._station.heartbeat()

    @tag("provisioning")
    @task(2)
    def report_status(self) -> None:
        """The status of each connector."""
        self._station.report_status()

    @tag("authorization", "charging")
    @task(2)
    def show_card(self) -> None:
        """A driver shows a card and goes away."""
        self._station.authorize()

    @tag("metering")
    @task(3)
    def report_meters(self) -> None:
        """Meter values by the clock."""
        self._station.report_meters()

    @tag("remote")
    @task(1)
    def await_commands(self) -> None:
        """Nothing of its own: the station is there for commands."""

    @tag("storm")
    @task(1)
    def lose_connection(self) -> None:
        """The network fails, and the station comes back. Only with `--tags storm`."""
        self._station.cut()
        self._station.heartbeat()


class Station16(StationUser):
    """An OCPP 1.6J station."""

    abstract = False
    weight = 4
    version = "1.6"


class Station201(StationUser):
    """An OCPP 2.0.1 station."""

    abstract = False
    weight = 4
    version = "2.0.1"


class Station21(StationUser):
    """An OCPP 2.1 station."""

    abstract = False
    weight = 3
    version = "2.1"
