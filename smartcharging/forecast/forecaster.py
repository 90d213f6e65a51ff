"""Learns from stays, and forecasts departures and energies.

Levels, each leaning on the next where it has seen little: the token at this site, the station, the site, the default.
A level that has seen n stays that count (`kernels`) has the say n / (n + `lean`); the rest goes to the next. Who has
stayed until now tells something, too: what is asked is always the distribution of those that are still here.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.sites import Site
from smartcharging.forecast import kernels
from smartcharging.forecast.curves import Curve
from smartcharging.forecast.kernels import Kernel
from smartcharging.forecast.pools import Arrival, Pool, arrival_of, row_of
from smartcharging.forecast.stays import STAY_S_MAX, STAY_S_MIN, Stay, is_sound, sound_claim_s, sound_kwh
from smartcharging.words import Need, NeedSource

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Key = TypeVar("Key")
Samples = tuple[Floats, Floats, Flags | None]
"""Values, what each counts, and whether it was cut off; None: none was."""

KWH_MIN = 0.05
_NORMAL_POINTS = np.array([-2.0, -1.4, -1.0, -0.7, -0.42, -0.14, 0.14, 0.42, 0.7, 1.0, 1.4, 2.0])
"""Of a standard normal distribution; each counts the same."""


class ForecastSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a site is forecast.

    `stay_s_default`, `energy_kwh_default`: medians of cars of which nothing is known. `departure_quantile`: what is
    planned for; small: cautious. `energy_quantile`: likewise; large: cautious. `lean_*`: how many stays that count a
    level must have seen to have half the say. `*_max`: memory: stays of each, and how many of each there may be.
    `days_of_site`: what is remembered of a site spans so many days at least, however many stays it has.
    `curves_max`: forecasts kept ready. `stale_after`: after so many new stays they are made anew.
    """

    time_zone: str = "UTC"
    stay_s_default: float = 4 * 3600.0
    energy_kwh_default: float = 12.0
    departure_quantile: float = 0.3
    energy_quantile: float = 0.7
    lean_token: float = 2.0
    lean_station: float = 12.0
    lean_site: float = 2.0
    spread_default: float = 0.8
    spread_claimed: float = 0.1
    spread_claimed_kwh: float = 0.1
    stays_of_token_max: int = 48
    stays_of_station_max: int = 96
    stays_of_site_max: int = 768
    tokens_max: int = 20_000
    stations_max: int = 20_000
    sites_max: int = 256
    days_of_site: float = 21.0
    curves_max: int = 32_768
    stale_after: int = 32
    kernel: Kernel = Kernel()

    @classmethod
    def of(cls, site: Site) -> "ForecastSettings":
        """As the site says, and the defaults where it says nothing."""
        settings = cls(time_zone=site.time_zone, departure_quantile=site.goals.departure_quantile)
        told = {"stay_s_default": site.stay_s_default, "energy_kwh_default": site.energy_kwh_default}
        return msgspec.structs.replace(settings, **{name: value for name, value in told.items() if value is not None})


class Forecaster:
    """Forecasts for one site (or several of one time zone, told apart by their id). Its memory is bounded."""

    def __init__(self, history: Sequence[Stay] = (), *, settings: ForecastSettings | None = None) -> None:
        """Learns a history, in the order of departures whatever its own.

        Raises:
            ZoneInfoNotFoundError: There is no such time zone.
        """
        self._settings = settings or ForecastSettings()
        self._zone = ZoneInfo(self._settings.time_zone)
        self._tokens: OrderedDict[tuple[str, str], Pool] = OrderedDict()
        self._stations: OrderedDict[tuple[str, str], Pool] = OrderedDict()
        self._sites: OrderedDict[str, Pool] = OrderedDict()
        self._curves: OrderedDict[tuple[object, ...], tuple[int, Curve, NeedSource]] = OrderedDict()
        self._learned = 0
        for stay in sorted(history, key=lambda each: each.departed_at):
            self.learn(stay)

    @property
    def learned(self) -> int:
        """How many stays it has learned from, forgotten ones included."""
        return self._learned

    def learn(self, stay: Stay) -> bool:
        """Adds a stay that is over. False: nothing can be learned from it."""
        if not is_sound(stay):
            return False
        row, settings = row_of(stay, self._zone), self._settings
        _pool(self._sites, stay.site, settings.stays_of_site_max, settings.sites_max, settings.days_of_site).add(row)
        station = (stay.site, stay.station)
        _pool(self._stations, station, settings.stays_of_station_max, settings.stations_max).add(row)
        if stay.token_key is not None:
            token = (stay.site, stay.token_key)
            _pool(self._tokens, token, settings.stays_of_token_max, settings.tokens_max).add(row)
        self._learned += 1
        return True

    def need(  # noqa: PLR0913 (what is known of a car, each by its name)
        self,
        token_key: str | None,
        station: str,
        site: str,
        arrived_at: datetime,
        now: datetime,
        delivered_kwh: float,
        *,
        claimed_departs_at: datetime | None = None,
        claimed_kwh: float | None = None,
    ) -> Need:
        """What a car that is here now will still need, and until when.

        `energy_kwh` is never 0: while a car is here it may take more than was expected.
        """
        place = (token_key, station, site)
        claimed_s = sound_claim_s(claimed_departs_at, arrived_at)
        claimed_kwh = sound_kwh(claimed_kwh) or None
        stays, departure_source = self._stay_curve(place, arrived_at, claimed_s)
        energies, energy_source = self._energy_curve(place, arrived_at, claimed_kwh)
        here_s = min(max((now - arrived_at).total_seconds(), 0.0), STAY_S_MAX)
        start = now - timedelta(seconds=here_s)
        delivered_kwh = sound_kwh(delivered_kwh) or 0.0
        settings = self._settings
        energy_kwh = energies.quantile(settings.energy_quantile, delivered_kwh) - delivered_kwh
        return Need(
            energy_kwh=max(energy_kwh, KWH_MIN),
            departs_at=start + timedelta(seconds=stays.quantile(settings.departure_quantile, here_s)),
            departs_at_median=start + timedelta(seconds=stays.quantile(0.5, here_s)),
            energy_source=energy_source,
            departure_source=departure_source,
        )

    def stay_curve(
        self,
        token_key: str | None,
        station: str,
        site: str,
        arrived_at: datetime,
        claimed_departs_at: datetime | None = None,
    ) -> Curve:
        """How long, in seconds after arrival, it stays."""
        claimed_s = sound_claim_s(claimed_departs_at, arrived_at)
        return self._stay_curve((token_key, station, site), arrived_at, claimed_s)[0]

    def energy_curve(
        self, token_key: str | None, station: str, site: str, arrived_at: datetime, claimed_kwh: float | None = None
    ) -> Curve:
        """How much it takes in all, kWh."""
        return self._energy_curve((token_key, station, site), arrived_at, sound_kwh(claimed_kwh) or None)[0]

    def _stay_curve(
        self, place: tuple[str | None, str, str], arrived_at: datetime, claimed_s: float | None
    ) -> tuple[Curve, NeedSource]:
        settings = self._settings

        def samples(columns: Floats, arrival: Arrival) -> Samples:
            return kernels.stays(columns, arrival, claimed_s, settings.kernel)

        def made() -> tuple[Curve, NeedSource]:
            median, spread = (
                (settings.stay_s_default, settings.spread_default)
                if claimed_s is None
                else (claimed_s, settings.spread_claimed)
            )
            default = median * np.exp(spread * _NORMAL_POINTS)
            return self._mixed(place, arrived_at, samples, default, STAY_S_MIN)

        return self._kept(("stay", arrived_at, claimed_s), place, made)

    def _energy_curve(
        self, place: tuple[str | None, str, str], arrived_at: datetime, claimed_kwh: float | None
    ) -> tuple[Curve, NeedSource]:
        settings = self._settings

        def samples(columns: Floats, arrival: Arrival) -> Samples:
            return kernels.energies(columns, arrival, claimed_kwh, settings.kernel)

        def made() -> tuple[Curve, NeedSource]:
            median, spread = (
                (settings.energy_kwh_default, settings.spread_default)
                if claimed_kwh is None
                else (claimed_kwh, settings.spread_claimed_kwh)
            )
            default = median * np.exp(spread * _NORMAL_POINTS)
            return self._mixed(place, arrived_at, samples, default, KWH_MIN)

        return self._kept(("energy", arrived_at, claimed_kwh), place, made)

    def _kept(
        self,
        about: tuple[object, ...],
        place: tuple[str | None, str, str],
        made: Callable[[], tuple[Curve, NeedSource]],
    ) -> tuple[Curve, NeedSource]:
        """The curve of a car, as long as little has been learned since."""
        key = (*about, *place)
        pool = self._sites.get(place[2])
        added = 0 if pool is None else pool.added
        found = self._curves.get(key)
        if found is not None and 0 <= added - found[0] < self._settings.stale_after:
            self._curves.move_to_end(key)
            return found[1], found[2]
        curve, source = made()
        self._curves[key] = (added, curve, source)
        self._curves.move_to_end(key)
        if len(self._curves) > self._settings.curves_max:
            self._curves.popitem(last=False)
        return curve, source

    def _mixed(
        self,
        place: tuple[str | None, str, str],
        arrived_at: datetime,
        samples: Callable[[Floats, Arrival], Samples],
        default: Floats,
        least: float,
    ) -> tuple[Curve, NeedSource]:
        """The levels together: a curve, and the level with the largest say."""
        arrival = arrival_of(arrived_at, self._zone)
        values: list[Floats] = [default]
        weights: list[Floats] = []
        cuts: list[Flags] = [np.zeros(len(default), dtype=np.bool_)]
        say, loudest, source = 1.0, 0.0, NeedSource.DEFAULT
        for pool, lean, level in self._levels(*place):
            if pool is None:
                continue
            of_level, counts, cut = samples(pool.columns(), arrival)
            seen = float(counts.sum())
            own = say * seen / (seen + lean)
            if own > 0.0:
                values.append(of_level)
                cuts.append(np.zeros(len(of_level), dtype=np.bool_) if cut is None else cut)
                weights.append(counts * (own / seen))
                say -= own
            if own > loudest:
                loudest, source = own, level
        weights.insert(0, np.full(len(default), say / len(default)))
        curve = _curve(np.concatenate(values), np.concatenate(weights), np.concatenate(cuts), least)
        return curve, source if loudest >= say else NeedSource.DEFAULT

    def _levels(
        self, token_key: str | None, station: str, site: str
    ) -> tuple[tuple[Pool | None, float, NeedSource], ...]:
        settings = self._settings
        token = None if token_key is None else self._tokens.get((site, token_key))
        return (
            (token, settings.lean_token, NeedSource.TOKEN),
            (self._stations.get((site, station)), settings.lean_station, NeedSource.STATION),
            (self._sites.get(site), settings.lean_site, NeedSource.SITE),
        )


def _curve(values: Floats, weights: Floats, cut: Flags, least: float) -> Curve:
    felt = np.flatnonzero(weights > 1e-5 * float(weights.max()))
    values = np.maximum(values[felt], least)
    order = np.argsort(values)
    values, felt = values[order], felt[order]
    weights, cut = weights[felt], cut[felt]
    # Who is beyond all samples stays about as much longer as samples are apart at their far end.
    tail = max(0.25 * float(values[-1]), least)
    return Curve(values, weights, tail, cut if cut.any() else None)


def _pool(pools: OrderedDict[Key, Pool], key: Key, room: int, pools_max: int, days: float = 0.0) -> Pool:
    pool = pools.get(key)
    if pool is None:
        pool = pools[key] = Pool(room, days)
        if len(pools) > pools_max:
            pools.popitem(last=False)
    pools.move_to_end(key)
    return pool
