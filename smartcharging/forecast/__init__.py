"""The forecast: how long a car stays and how much it takes, learned from stays that are over.

For whoever plans:

    history = stays_of(await queries.past_stays(stations, since), site.site)
    forecaster = Forecaster(history, settings=ForecastSettings.of(site))    # stays, in any order
    need = forecaster.need(token_key, station, site, arrived_at, now, delivered_kwh)
    need = forecaster.need(..., claimed_departs_at=estimate, claimed_kwh=asked)    # the driver said something
    curve = forecaster.stay_curve(token_key, station, site, arrived_at, claimed_departs_at)
    curve.alive(elapsed_s, ahead_s)    # (k,) P(here in `ahead_s` (k,) s | here `elapsed_s` after arrival)
    curve.staying(elapsed_s, slot_s)   # (t,) the same, on average over each slot
    curve.quantile(0.3, elapsed_s)     # seconds after arrival by which 30 % of those still here will have left
    forecaster.learn(Stay(...))        # a stay is over

`token_key`: `Token.key`; None: nobody knows. `claimed_*`: the driver's own estimate, which is a feature, not a truth:
its bias is learned from stays that had one. Nothing here looks at a clock or at chance: the same calls, the same
answers.
"""

from smartcharging.forecast.curves import Curve as Curve
from smartcharging.forecast.forecaster import Forecaster as Forecaster
from smartcharging.forecast.forecaster import ForecastSettings as ForecastSettings
from smartcharging.forecast.stays import Stay as Stay
from smartcharging.forecast.stays import stays_of as stays_of
