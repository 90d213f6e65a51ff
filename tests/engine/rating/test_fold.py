"""Rating: figures worked out by hand, and what holds for any tariff and any readings."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.tariffs import (
    CostBound,
    CostKind,
    EvseKind,
    Price,
    PriceConditions,
    PriceList,
    Tariff,
    TaxRate,
    Weekday,
)
from engine.rating import fold
from engine.rating.costs import cost_of, exact
from engine.rating.fold import advance, begin
from engine.rating.samples import Sample

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)  # a Saturday
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def prices(*amounts_and_conditions, taxes=()):
    """Prices from amounts, each with the fields of its conditions or None."""
    return PriceList(
        tuple(
            Price(Decimal(amount), None if conditions is None else PriceConditions(**conditions))
            for amount, conditions in amounts_and_conditions
        ),
        tuple(taxes),
    )


def tariff(**lists):
    return Tariff(id="t", currency=lists.pop("currency", "EUR"), **lists)


def rate(of, begun_at, samples, zone, **fields):
    return fold.rate(of, begin(of, begun_at, zone, **fields), samples, zone)


def total(of, *samples, begun_at=AT, zone=UTC, **fields):
    return rate(of, begun_at, samples, zone, **fields).total.excl


def test_energy_is_charged_per_kWh():
    assert total(tariff(energy=prices(("0.25", None))), Sample(AT + HOUR, 10_000.0)) == Decimal("2.50")


def test_I12_FR_13_taxes_of_one_stack_add_up_and_the_next_is_on_the_result():
    taxes = (TaxRate("federal", Decimal(6)), TaxRate("state", Decimal(4)), TaxRate("city", Decimal(10), stack=1))
    details = rate(tariff(energy=prices(("0.25", None), taxes=taxes)), AT, [Sample(AT + HOUR, 10_000.0)], UTC)
    assert (details.energy.excl, details.energy.incl) == (Decimal("2.50"), Decimal("3.03"))  # 2.5 x 1.1 x 1.1 = 3.025


def test_a_tariff_without_prices_is_free():
    assert total(tariff(), Sample(AT + HOUR, 10_000.0)) == Decimal("0.00")


def test_charging_and_idling_have_their_own_times():
    of = tariff(charging_time=prices(("0.10", None)), idle_time=prices(("1.00", None)))
    details = rate(of, AT, [Sample(AT + HOUR, 5_000.0, charging=False), Sample(AT + 1.5 * HOUR)], UTC, charging=True)
    assert (details.charging_time.excl, details.idle_time.excl) == (Decimal("6.00"), Decimal("30.00"))
    assert (details.charging_s, details.idle_s) == (3600, 1800)


def test_I12_FR_34_the_first_price_whose_conditions_hold_counts():
    of = tariff(energy=prices(("0.40", {"from_time": "08:00", "to_time": "18:00"}), ("0.25", None)))
    begun_at = AT.replace(hour=17)
    assert total(of, Sample(begun_at + 2 * HOUR, 20_000.0), begun_at=begun_at) == Decimal("6.50")


def test_times_of_day_are_local():
    of = tariff(energy=prices(("0.40", {"from_time": "18:00", "to_time": "19:00"}), ("0.00", None)))
    begun_at = AT.replace(hour=16, minute=30)
    assert total(of, Sample(begun_at + 2 * HOUR, 20_000.0), begun_at=begun_at, zone=BERLIN) == Decimal("4.00")


def test_a_time_span_may_go_over_midnight():
    of = tariff(energy=prices(("1.00", {"from_time": "22:00", "to_time": "06:00"})))
    begun_at = AT.replace(hour=20)
    assert total(of, Sample(begun_at + 12 * HOUR, 12_000.0), begun_at=begun_at) == Decimal("8.00")


def test_to_midnight_is_to_the_end_of_the_day():
    of = tariff(energy=prices(("1.00", {"from_time": "22:00", "to_time": "00:00"})))
    begun_at = AT.replace(hour=21)
    assert total(of, Sample(begun_at + 6 * HOUR, 6_000.0), begun_at=begun_at) == Decimal("2.00")


def test_days_and_dates_change_at_local_midnight():
    weekend = tariff(energy=prices(("1.00", {"days": (Weekday.SATURDAY,)}), ("0.00", None)))
    dated = tariff(energy=prices(("1.00", {"from_date": date(2026, 11, 21), "to_date": date(2026, 11, 22)})))
    begun_at = AT.replace(hour=22)
    for of in (weekend, dated):
        assert total(of, Sample(begun_at + 4 * HOUR, 4_000.0), begun_at=begun_at, zone=BERLIN) == Decimal("1.00")


@pytest.mark.parametrize(
    ("begun_at", "hours", "expected"),
    [
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), 4, "2.00"),  # clocks go back: 02:00 to 03:00 comes twice
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 4, "0.00"),  # clocks go forward: it does not come at all
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), 4, "1.00"),
    ],
)
def test_I12_FR_37_tariffs_follow_local_time_over_its_changes(begun_at, hours, expected):
    of = tariff(energy=prices(("1.00", {"from_time": "02:00", "to_time": "03:00"})))
    sample = Sample(begun_at + hours * HOUR, hours * 1000.0)
    assert total(of, sample, begun_at=begun_at, zone=BERLIN) == Decimal(expected)


def test_steps_of_energy_are_cut_exactly():
    of = tariff(energy=prices(("0.50", {"energy_wh_max": Decimal(10_000)}), ("0.30", None)))
    assert total(of, Sample(AT + HOUR, 15_000.0)) == Decimal("6.50")
    assert total(of, Sample(AT, 15_000.0)) == Decimal("6.50"), "also when it comes at once"


def test_idle_fees_may_begin_after_some_time():
    of = tariff(idle_time=prices(("1.00", {"idle_s_min": 300})))
    assert total(of, Sample(AT + timedelta(minutes=12))) == Decimal("7.00")


def test_time_limits_count_from_the_start():
    of = tariff(charging_time=prices(("0.00", {"time_s_max": 1800}), ("1.00", None)))
    assert total(of, Sample(AT + HOUR, charging=False), charging=True) == Decimal("30.00")


def test_power_decides_between_prices():
    of = tariff(energy=prices(("0.50", {"power_w_min": Decimal(11_000)}), ("0.30", None)))
    assert total(of, Sample(AT + HOUR, 11_000.0), Sample(AT + 2 * HOUR, 16_000.0)) == Decimal("7.00")


def test_what_is_not_known_fulfils_no_condition():
    of = tariff(
        energy=prices(("9.00", {"current_a_min": Decimal(1)}), ("9.00", {"evse_kind": EvseKind.DC}), ("1.00", None))
    )
    assert total(of, Sample(AT + HOUR, 1_000.0)) == Decimal("1.00")
    assert total(of, Sample(AT + HOUR, 1_000.0), evse_kind=EvseKind.DC) == Decimal("9.00")
    assert total(of, Sample(AT + HOUR, 1_000.0, current_a=16.0)) == Decimal("9.00")


def test_I12_FR_30_a_fixed_fee_is_judged_at_the_start():
    of = tariff(fixed_fee=prices(("2.00", {"to_time": "10:30"}), ("1.00", None)))
    assert total(of, Sample(AT + 5 * HOUR)) == Decimal("2.00")
    assert total(of, Sample(AT + 5 * HOUR), begun_at=AT + HOUR) == Decimal("1.00")


def test_I12_FR_07_08_a_reservation_costs_only_where_there_was_one():
    of = tariff(reservation_time=prices(("0.10", None)), reservation_fixed=prices(("1.00", None)))
    assert total(of, Sample(AT + HOUR)) == Decimal("0.00")
    details = rate(of, AT, [Sample(AT + HOUR)], UTC, reserved_s=600)
    assert (details.reservation_time.excl, details.reservation_fixed.excl) == (Decimal("1.00"), Decimal("1.00"))


def test_I12_FR_38_the_least_amount_counts_in_the_end():
    of = tariff(
        energy=prices(("0.25", None)), cost_min=CostBound(excl=Decimal(5), taxes=(TaxRate("vat", Decimal(20)),))
    )
    usage = advance(of, begin(of, AT, UTC), Sample(AT + HOUR, 1_000.0), UTC)
    assert cost_of(of, usage, final=False).total.excl == Decimal("0.25")
    details = cost_of(of, usage, final=True)
    assert (details.kind, details.total.excl, details.total.incl) == (CostKind.MIN, Decimal("5.00"), Decimal("6.00"))
    assert (details.fixed, details.energy) == (details.total, None)


@pytest.mark.parametrize("bound", [CostBound(excl=Decimal(10)), CostBound(incl=Decimal(11))])
def test_I12_FR_39_costs_stop_at_the_most_and_usage_goes_on(bound):
    of = tariff(energy=prices(("0.50", None), taxes=(TaxRate("vat", Decimal(10)),)), cost_max=bound)
    samples = [Sample(AT + number * HOUR, number * 15_000.0) for number in (1, 2, 3)]
    details = rate(of, AT, samples, UTC)
    assert (details.kind, details.total.excl, details.total.incl) == (CostKind.MAX, Decimal("10.00"), Decimal("11.00"))
    assert details.energy_wh == 45_000


def test_a_fee_beyond_the_most_caps_from_the_start():
    of = tariff(fixed_fee=prices(("20.00", None)), energy=prices(("1.00", None)), cost_max=CostBound(excl=Decimal(10)))
    assert rate(of, AT, [Sample(AT + HOUR, 5_000.0)], UTC).kind is CostKind.MAX


def test_a_meter_that_goes_back_and_an_older_sample_change_nothing():
    of = tariff(energy=prices(("1.00", None)), idle_time=prices(("1.00", None)))
    usage = advance(of, begin(of, AT, UTC), Sample(AT + HOUR, 5_000.0), UTC)
    assert advance(of, usage, Sample(AT, 4_000.0), UTC) == usage


@pytest.mark.parametrize(("currency", "expected"), [("EUR", "0.13"), ("JPY", "0"), ("KWD", "0.125"), ("XXX", "0.13")])
def test_amounts_are_rounded_half_up_to_the_smallest_coin(currency, expected):
    assert str(total(tariff(currency=currency, energy=prices(("0.125", None))), Sample(AT, 1_000.0))) == expected


def test_items_say_what_each_price_came_to():
    of = tariff(energy=prices(("0.50", {"energy_wh_max": Decimal(10_000)}), ("0.30", None)))
    items = rate(of, AT, [Sample(AT + HOUR, 15_000.0)], UTC).items
    assert [(item.dimension, item.price, item.volume, item.excl) for item in items] == [
        ("energy", 0, Decimal(10), Decimal("5.00")),
        ("energy", 1, Decimal(5), Decimal("1.50")),
    ]


CONDITIONS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "from_time": st.sampled_from(["00:00", "02:30", "08:00", "22:15"]),
            "to_time": st.sampled_from(["00:00", "02:30", "09:00", "23:59"]),
            "days": st.lists(st.sampled_from(list(Weekday)), unique=True, max_size=3).map(tuple),
            "energy_wh_min": st.integers(0, 20_000).map(Decimal),
            "energy_wh_max": st.integers(0, 20_000).map(Decimal),
            "idle_s_min": st.integers(0, 7200),
            "charging_s_max": st.integers(0, 7200),
            "time_s_min": st.integers(0, 7200),
        },
    ),
)
AMOUNTS = st.integers(0, 500).map(lambda cents: Decimal(cents) / 100)
LISTS = st.one_of(
    st.none(), st.lists(st.tuples(AMOUNTS, CONDITIONS), min_size=1, max_size=3).map(lambda some: prices(*some))
)
TARIFFS = st.builds(tariff, energy=LISTS, charging_time=LISTS, idle_time=LISTS, fixed_fee=LISTS)
STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 15_000), st.booleans()), min_size=1, max_size=5)
STARTS = st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def samples_of(begun_at, steps):
    at, energy_wh = begun_at, 0.0
    for seconds, wh, charging in steps:
        at, energy_wh = at + timedelta(seconds=seconds), energy_wh + wh
        yield Sample(at, energy_wh, charging)


def folded(of, begun_at, samples):
    usage = begin(of, begun_at, BERLIN)
    for sample in samples:
        usage = advance(of, usage, sample, BERLIN)
    return usage


@settings(max_examples=30, deadline=None)
@given(of=TARIFFS, begun_at=STARTS, steps=STEPS)
def test_all_energy_and_time_is_counted_once(of, begun_at, steps):
    usage = folded(of, begun_at, samples_of(begun_at, steps))
    assert usage.energy_uwh == sum(wh for _, wh, _ in steps) * 10**6
    assert usage.charging_us + usage.idle_us == sum(seconds for seconds, _, _ in steps) * 10**6
    assert sum(usage.energy) <= usage.energy_uwh
    if of.energy is not None and any(price.conditions is None for price in of.energy.prices):
        assert sum(usage.energy) == usage.energy_uwh


@settings(max_examples=30, deadline=None)
@given(of=TARIFFS, begun_at=STARTS, steps=STEPS)
def test_costs_never_fall(of, begun_at, steps):
    usage, before = begin(of, begun_at, BERLIN), Decimal(0)
    for sample in samples_of(begun_at, steps):
        usage = advance(of, usage, sample, BERLIN)
        after = cost_of(of, usage, final=False).total.excl
        assert after >= before
        before = after


@settings(max_examples=30, deadline=None)
@given(of=TARIFFS, begun_at=STARTS, steps=STEPS, share=st.fractions(0, 1, max_denominator=16))
def test_a_sample_in_between_on_the_line_changes_nothing_worth_a_coin(of, begun_at, steps, share):
    samples = list(samples_of(begun_at, steps))
    first = samples[0]
    cut = timedelta(seconds=float(steps[0][0] * share))
    between = Sample(begun_at + cut, steps[0][1] * (cut / (first.at - begun_at) if first.at > begun_at else 0.0))
    whole = exact(of, folded(of, begun_at, samples))
    parts = exact(of, folded(of, begun_at, [between, *samples]))
    for name, amount in whole.items():
        assert abs(amount - parts[name]) < Decimal("0.001")


@settings(max_examples=30, deadline=None)
@given(of=TARIFFS, begun_at=STARTS, steps=STEPS, most=AMOUNTS)
def test_no_more_than_the_most_is_ever_charged(of, begun_at, steps, most):
    capped = Tariff(
        id="t",
        currency="EUR",
        energy=of.energy,
        charging_time=of.charging_time,
        idle_time=of.idle_time,
        cost_max=CostBound(excl=most),
    )
    usage = folded(capped, begun_at, samples_of(begun_at, steps))
    assert sum(exact(capped, usage).values()) <= most
