"""The pictures of a site's day."""

import math
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from deploy.plots.drawing import CARS_MAX, LABEL_CHARACTERS_MAX, PlotFormat, PlotKind, plot
from ingress.http.site_day import CarCurve, PhaseCurve, SiteDay

ZONE = "Europe/Berlin"
SLOTS = 288
TODAY = datetime(2026, 11, 21, tzinfo=ZoneInfo(ZONE))


def day_of(count=3, *, start=TODAY, slots=SLOTS, **changes):
    cars = tuple(
        CarCurve(node=f"e{number}", label=f"ST-{number:02}", kw=tuple(float(number + 1) for _ in range(slots)))
        for number in range(count)
    )
    given = {
        "site": "garage",
        "name": "Garage Nord",
        "time_zone": ZONE,
        "start_at": start,
        "slots": slots,
        "now_slot": slots // 2,
        "cars": cars,
        "others_kw": (2.0,) * slots,
        "limit_kw": (100.0,) * slots,
        "phase_node": "board-1",
        "phases": tuple(
            PhaseCurve(line=line, cars_a=(8.0,) * slots, others_a=(3.0,) * slots, limit_a=(20.0,) * slots)
            for line in ("L1", "L2", "L3")
        ),
        "price": (0.25,) * slots,
        "co2": (300.0,) * slots,
    }
    return SiteDay(**(given | changes))


def texts(day, kind):
    svg = plot(day, kind, PlotFormat.SVG).decode()
    return [re.sub(r"<[^>]+>", "", each).strip() for each in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]


@pytest.mark.parametrize("kind", PlotKind)
def test_a_png_is_one_and_wide_enough_to_read(kind):
    data = plot(day_of(), kind, PlotFormat.PNG)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, 600 < height < 1_000) == (1_430, True)


@pytest.mark.parametrize("kind", PlotKind)
def test_the_same_day_gives_the_same_picture(kind):
    day = day_of()
    assert plot(day, kind, PlotFormat.SVG) == plot(day, kind, PlotFormat.SVG)


def test_the_load_names_site_day_cars_units_zone_and_limit():
    said = texts(day_of(), PlotKind.LOAD)
    assert "Garage Nord: power by car, Saturday 21 November 2026" in said
    assert {"ST-00", "ST-01", "ST-02", "kW", "not controlled", "limit of the grid connection"} <= set(said)
    assert f"time of day, {ZONE}" in said
    assert {"00:00", "12:00", "21:00"} <= set(said)
    assert "measured ◂ now ▸ planned" in said


def test_of_fifty_cars_those_with_most_are_named_and_the_others_counted():
    said = texts(day_of(50), PlotKind.LOAD)
    named = [each for each in said if each.startswith("ST-")]
    assert sorted(named) == [f"ST-{number:02}" for number in range(50 - CARS_MAX, 50)]
    assert f"{50 - CARS_MAX} others" in said


def test_a_past_day_has_no_now():
    assert not any("now" in each for each in texts(day_of(now_slot=None), PlotKind.LOAD))


def test_lines_show_amperes_and_their_limit():
    said = texts(day_of(), PlotKind.PHASES)
    assert {"L1, A", "L2, A", "L3, A", "limit of the line"} <= set(said)
    assert any("board-1" in each for each in said)


def test_without_a_limit_per_line_the_picture_says_so():
    said = texts(day_of(phases=(), phase_node=""), PlotKind.PHASES)
    assert "No node of this site has a limit per line." in said


def test_price_and_co2_have_their_units():
    said = texts(day_of(currency="SEK"), PlotKind.PRICE)
    assert {"SEK per kWh", "g CO2 per kWh", "kW"} <= set(said)


def test_without_prices_the_power_is_shown_alone():
    said = texts(day_of(price=(), co2=(math.nan,) * SLOTS), PlotKind.PRICE)
    assert any("no price is known" in each for each in said)
    assert not any("per kWh" in each for each in said)


@pytest.mark.parametrize("kind", PlotKind)
@pytest.mark.parametrize(
    "changes",
    [
        {"cars": (), "others_kw": (), "limit_kw": (), "phases": (), "price": (), "co2": (), "now_slot": None},
        {"others_kw": (-5.0,) * SLOTS, "limit_kw": (math.inf,) * SLOTS, "price": (-0.1,) * SLOTS},
        {"cars": (CarCurve(node="e", label="e", kw=(math.nan, 3.0, math.inf)),), "now_slot": 0},
        {"price": (0.0,) * SLOTS, "co2": (0.0,) * SLOTS, "now_slot": SLOTS - 1},
        {"start": datetime(2026, 3, 29, tzinfo=ZoneInfo(ZONE)), "slots": 276},
        {"start": datetime(2026, 10, 25, tzinfo=ZoneInfo(ZONE)), "slots": 300},
    ],
    ids=["nothing", "pv", "holes", "zeros", "spring", "autumn"],
)
def test_odd_days_are_drawn(kind, changes):
    assert plot(day_of(**changes), kind, PlotFormat.PNG)[:4] == b"\x89PNG"


def test_what_stations_are_called_is_no_markup():
    car = CarCurve(node="e", label="<b>$x^2$</b> & \x07" + "y" * 99, kw=(1.0,) * SLOTS)
    svg = plot(day_of(cars=(car,)), PlotKind.LOAD, PlotFormat.SVG).decode()
    assert "&lt;b&gt;$x^2$&lt;/b&gt; &amp; " in svg
    assert "y" * (LABEL_CHARACTERS_MAX + 1) not in svg
    assert "\x07" not in svg


def test_threads_do_not_disturb_each_other():
    day = day_of(20)
    expected = {kind: plot(day, kind, PlotFormat.SVG) for kind in PlotKind}
    kinds = list(PlotKind) * 3
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda kind: plot(day, kind, PlotFormat.SVG), kinds))
    assert drawn == [expected[kind] for kind in kinds]
