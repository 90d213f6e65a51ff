"""All stations of one Locust process, and what happens to them together."""

from random import Random

from loadtests.swarm.channel import Door
from loadtests.swarm.greenlets import spawn_later
from loadtests.swarm.identities import Identities
from loadtests.swarm.options import Options
from loadtests.swarm.samples import Report
from loadtests.swarm.scenarios import Happening
from loadtests.swarm.station import Station
from loadtests.swarm.words import WORDS_OF_VERSION

GOLDEN = 0.618_033_988_749_894_9
FRAMES_PER_S = 1.0
ASKS_PER_S = 20.0


class Swarm:
    """Makes stations, knows who is there, and lets things happen to a share of them.

    Args:
        options: Of all stations.
        worker: Number of this process among the workers; 0 without workers.
        report: Where all that is measured goes.
        demand: Share of the stations that want to charge, until something happens.
    """

    def __init__(self, options: Options, worker: int, report: Report, demand: float = 1.0) -> None:
        self.options = options
        self.demand = demand
        self._report = report
        self._identities = Identities(options.prefix, worker)
        tls = options.tls() if options.ocpp_url.startswith("wss:") else None
        self._door = Door(options.ocpp_url, tls, options.password, options.answer_s_max)
        self._ranks: dict[Station, tuple[float, int]] = {}
        self._slow_share = 0.0
        self._chance = Random(f"pauses {options.prefix} {worker}")

    @property
    def stations(self) -> list[Station]:
        """Those that are there now."""
        return [*self._ranks]

    def join(self, version: str) -> Station:
        """A new station, which begins to connect."""
        identity, number = self._identities.take(version)
        station = Station(
            identity, WORDS_OF_VERSION[version], self.options, self._door, self._report, Random(f"swarm {identity}")
        )
        rank = number * GOLDEN % 1.0  # evenly spread, however many there are
        self._ranks[station] = rank, number
        station.start()
        if rank < self._slow_share:
            station.read_slowly(FRAMES_PER_S, ASKS_PER_S)
        return station

    def leave(self, station: Station) -> None:
        """The station ends."""
        _, number = self._ranks.pop(station)
        station.stop()
        self._identities.give_back(station.version, number)

    def wants_charge(self, station: Station) -> bool:
        """Whether a driver is at this station, as the demand is now."""
        return self._ranks[station][0] < self.demand

    def pause_s(self) -> float:
        """How long a user waits until it does the next thing."""
        return self.options.pause_s * self._chance.uniform(0.5, 1.5)

    def happen(self, happening: Happening) -> None:
        """Lets it happen, to stations that come later too where it lasts."""
        if happening.what == "demand":
            self.demand = happening.share
            return
        if happening.what == "slow":
            self._slow_share = happening.share
        for station, (rank, _) in [*self._ranks.items()]:
            if rank < happening.share:
                after_s = rank / happening.share * happening.spread_s
                spawn_later(after_s, self._hit, station, happening)

    def _hit(self, station: Station, happening: Happening) -> None:
        if station not in self._ranks:
            return  # it left meanwhile
        match happening.what:
            case "cut" | "power_cut":
                station.cut(happening.away_s, power=happening.what == "power_cut")
            case "firmware":
                station.update_firmware()
            case "slow":
                station.read_slowly(FRAMES_PER_S, ASKS_PER_S)
            case "demand":
                pass  # of the swarm as a whole, see `happen`
