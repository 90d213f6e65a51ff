"""The cars of a site: from facts of stations to what is known of each car now, and what else draws."""

from smartcharging.cars.keeper import CarKeeper as CarKeeper
from smartcharging.cars.requests import check_request as check_request
