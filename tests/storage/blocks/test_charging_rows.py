"""Rows of smart charging, costs, DER control, V2X and battery swap: what each fact leaves behind. Memory alone."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.model.authorization import Token
from engine.model.battery_swap import (
    Battery,
    BatterySwapReported,
    SwapEvent,
    SwapFlag,
    SwapLapsed,
    SwapMoved,
    SwapRequested,
)
from engine.model.bidirectional import EnergyTransfer, EnergyTransfersAllowed
from engine.model.charging_profiles import ProfilePurpose, RateUnit, SchedulePeriod, ScheduleUpdate
from engine.model.der_control import (
    DerAlarmEnded,
    DerAlarmRaised,
    DerAlarmReported,
    DerControl,
    DerControlInstalled,
    DerControlRan,
    DerControlRemoved,
    DerControlsSuperseded,
    DerControlType,
    DerRemovalReason,
)
from engine.model.smart_charging import (
    AcNeeds,
    ChargingFlag,
    CompositeSchedule,
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    EvNeeds,
    EvScheduleRecorded,
    EvScheduleReported,
    LimitImposed,
    LimitReleased,
    LimitReported,
    NeedsRecorded,
    NeedsReported,
    NeedsVerdict,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
)
from engine.model.tariff_and_cost import (
    AssignedTo,
    CostBegun,
    CostCounted,
    CostFlag,
    CostReported,
    CostSettled,
    DefaultTariffInstalled,
    HeldTariff,
    HeldTariffsCleared,
    HeldTariffsListed,
    TariffAssigned,
    TariffRemoved,
    TariffSaved,
)
from engine.model.tariffs import CostDetails, Money, Price, PriceList, Tariff
from engine.model.usage import Usage
from storage.projection.pending import Pending
from tests.engine.station.charging import profile, tx_profile

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
TARIFF = Tariff(id="t", currency="EUR", energy=PriceList((Price(Decimal("0.25")),)))


@pytest.fixture
def rows_after():
    """The rows of a table after facts of CP-1: {key: columns}, JSON decoded."""

    def after(table, *facts):
        pending = Pending()
        for fact in facts:
            pending.take("CP-1", fact)
        kept = pending.rows.get(table)
        if kept is None:
            return {}
        kinds = kept[0].kinds()
        return {
            key: {
                name: json.loads(value) if kinds[name] == "jsonb" and value is not None else value
                for name, value in row.items()
            }
            for key, row in kept[1].items()
        }

    return after


def test_a_profile_is_installed_adopted_and_removed(rows_after):
    installed = ProfileInstalled(1, tx_profile(4, transaction=None), AT, remote_start_id=1)
    rows = rows_after(
        "charging_profiles",
        installed,
        ProfileAdopted(4, 2, "t-1", AT),
        ProfileRemoved(4, 2, RemovalReason.TRANSACTION_ENDED, LATER),
    )
    row = rows["CP-1", 4]
    assert (row["evse"], row["transaction_id"], row["installed"]) == (2, "t-1", False)
    assert (row["removed_at"], row["removed_because"]) == (LATER, "transaction_ended")
    assert row["profile"]["schedules"][0]["periods"] == [{"limit": 16.0, "start_s": 0}]


def test_a_profile_that_comes_back_is_not_gone(rows_after):
    gone = ProfileRemoved(1, 0, RemovalReason.CLEARED, AT)
    rows = rows_after("charging_profiles", gone, ProfileInstalled(0, profile(1), LATER, source="CSO", reported=True))
    row = rows["CP-1", 1]
    assert (row["installed"], row["removed_at"], row["reported_at"]) == (True, None, LATER)
    assert "installed_at" not in row


def test_numbers_of_a_dynamic_profile(rows_after):
    fact = DynamicScheduleUpdated(7, ScheduleUpdate(limit=8.0), AT)
    assert rows_after("charging_profiles", fact)["CP-1", 7]["numbers"] == {"limit": 8.0}
    unknown = DynamicScheduleUpdated(7, ScheduleUpdate(), AT, flags=(ChargingFlag.UNKNOWN_PROFILE,))
    assert rows_after("charging_profiles", unknown) == {}


def test_limits_come_and_go(rows_after):
    imposed = LimitImposed(LimitReported("EMS", grid_critical=True), AT)
    row = rows_after("charging_limits", imposed, LimitReleased("EMS", 0, LATER))["CP-1", "EMS", 0]
    assert (row["active"], row["imposed_at"], row["released_at"], row["grid_critical"]) == (False, AT, LATER, True)


def test_needs_and_plans_of_cars(rows_after):
    needs = EvNeeds(energy_transfer="AC_three_phase", ac=AcNeeds(9000.0, 6.0, 16.0, 400.0))
    fact = NeedsRecorded(NeedsReported(1, needs), NeedsVerdict.NO_PROFILE, AT, "t-1", (ChargingFlag.NO_TRANSACTION,))
    row = rows_after("charging_needs", fact)["CP-1", 1, AT]
    assert (row["energy_wh"], row["verdict"], row["flags"]) == (9000.0, "no_profile", ["no_transaction"])
    plan = EvScheduleReported(1, AT, profile(1).schedules[0], selected_id=2)
    row = rows_after("ev_schedules", EvScheduleRecorded(plan, within=False, at=AT, transaction_id="t-1"))["CP-1", 1, AT]
    assert (row["within"], row["selected_id"], row["transaction_id"]) == (False, 2, "t-1")


def test_composite_schedules_by_unit(rows_after):
    told = CompositeSchedule(None, RateUnit.W, (SchedulePeriod(start_s=0, limit=1.0),))
    assert (
        rows_after("composite_schedules", CompositeScheduleTold(told, AT, 60))["CP-1", 0, "W"]["asked_duration_s"] == 60
    )
    assert rows_after("composite_schedules", CompositeScheduleTold(CompositeSchedule(1, None), AT)) == {}


def test_costs_run_and_are_settled(rows_after):
    cost = CostDetails(currency="EUR", total=Money(Decimal("2.50"), Decimal("2.98")), tariff_id="t")
    usage = Usage(begun_at=AT, at=AT)
    rows = rows_after(
        "transaction_costs",
        CostBegun("t-1", "t", usage, AT, (CostFlag.STARTED_UNSEEN,)),
        CostCounted("t-1", usage, cost, AT, told=True),
        CostReported("t-1", AT, b'{"a":1}'),
        CostSettled("t-1", cost, LATER),
    )
    row = rows["CP-1", "t-1"]
    assert (row["total_incl"], row["final"], row["told_at"], row["flags"]) == (2.98, True, AT, ["started_unseen"])
    assert row["station_cost"] == {"a": 1}
    assert row["cost"]["total"] == {"excl": "2.50", "incl": "2.98"}


def test_an_unknown_cost_has_no_total(rows_after):
    unknown = CostDetails(currency="XXX", total=Money(), failure="gone")
    row = rows_after("transaction_costs", CostSettled("t-1", unknown, AT, (CostFlag.TARIFF_GONE,)))["CP-1", "t-1"]
    assert (row["total_incl"], row["final"], row["flags"]) == (None, True, ["tariff_gone"])


def test_the_operators_tariffs_and_whom_they_are_for(rows_after):
    row = rows_after("tariffs", TariffSaved(TARIFF, AT), TariffRemoved("t", LATER))[("t",)]
    assert (row["active"], row["removed_at"], row["currency"]) == (False, LATER, "EUR")
    given = TariffAssigned(AssignedTo.STATION, "CP-1", "t", AT)
    assert rows_after("tariff_assignments", given)["station", "CP-1"]["tariff_id"] == "t"
    taken = TariffAssigned(AssignedTo.STATION, "CP-1", None, AT)
    assert rows_after("tariff_assignments", given, taken) == {}


def test_tariffs_that_stations_hold(rows_after):
    installed = DefaultTariffInstalled(0, TARIFF, AT)
    assert rows_after("tariffs_held", installed)["CP-1", 0, "t"]["kind"] == "DefaultTariff"
    assert rows_after("tariffs_held", installed, HeldTariffsCleared(("t",), AT)) == {}
    assert rows_after("tariffs_held", installed, HeldTariffsCleared((), AT)) == {}
    listed = HeldTariffsListed(0, (HeldTariff("u", "DriverTariff", evses=(1, 2)),), AT)
    assert [*rows_after("tariffs_held", installed, listed)] == [("CP-1", 1, "u"), ("CP-1", 2, "u")]


def test_DER_controls_and_alarms(rows_after):
    control = DerControl(id="c", type=DerControlType.FIXED_VAR, is_default=False, settings={"priority": 2})
    rows = rows_after(
        "der_controls",
        DerControlInstalled(control, AT),
        DerControlRan("c", started=True, at=AT),
        DerControlsSuperseded(("c",), AT, by="d"),
        DerControlRemoved("c", DerRemovalReason.ENDED, LATER),
    )
    row = rows["CP-1", "c"]
    assert (row["priority"], row["running"], row["superseded_by"], row["removed_because"]) == (2, False, "d", "ended")
    report = DerAlarmReported(DerControlType.VOLT_VAR, fault="OverVoltage", at=AT)
    row = rows_after("der_alarms", DerAlarmRaised(AT, report, AT), DerAlarmEnded(AT, report, LATER))["CP-1", AT]
    assert (row["active"], row["ended_at"], row["fault"]) == (False, LATER, "OverVoltage")


def test_energy_transfers(rows_after):
    fact = EnergyTransfersAllowed("t-1", (EnergyTransfer.AC_BPT,), AT)
    assert rows_after("allowed_energy_transfers", fact)["CP-1", "t-1"]["transfers"] == ["AC_BPT"]


def test_a_swap_keeps_what_went_in_and_out(rows_after):
    token, batteries = Token("04AB"), (Battery(1, "B-1", 20.0, 90.0),)
    moved_in = SwapMoved(AT, BatterySwapReported(5, SwapEvent.IN, token, batteries), AT, (SwapFlag.OTHER_TOKEN,))
    moved_out = SwapMoved(AT, BatterySwapReported(5, SwapEvent.OUT, token, ()), LATER)
    row = rows_after("battery_swaps", SwapRequested(5, token, AT, AT), moved_in, moved_out)["CP-1", 5, AT]
    assert (row["state"], row["asked"], row["in_at"], row["out_at"]) == ("out", True, AT, LATER)
    assert row["batteries_in"][0]["serial_number"] == "B-1"
    assert row["flags"] == ["other_token"]
    assert rows_after("battery_swaps", SwapLapsed(5, AT, LATER))["CP-1", 5, AT]["state"] == "lapsed"


def test_purposes_are_OCPPs_words(rows_after):
    rows = rows_after("charging_profiles", ProfileInstalled(0, profile(1, ProfilePurpose.STATION_MAX), AT))
    assert rows["CP-1", 1]["purpose"] == "ChargingStationMaxProfile"
