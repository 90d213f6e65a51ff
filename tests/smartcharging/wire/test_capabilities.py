"""Capabilities: what configuration keys and variables tell, the questions for them, and the way down."""

import pytest

from engine.model.charging_profiles import ProfilePurpose, RateUnit
from engine.model.configuration_keys import ref_of_key
from engine.model.device_model import VariableEntry
from engine.model.provisioning import VariableRef
from engine.ocpp.catalogue import command_call
from engine.ocpp.versions import Version
from smartcharging.wire.capabilities import PURPOSES_OF_RUNG, Ability, Refusal, Rung, Way, probe_of

CONTROLLER = "SmartChargingCtrlr"


def key(name, value):
    return VariableEntry(ref=ref_of_key(name), value=value)


def variable(name, value, instance=None):
    return VariableEntry(ref=VariableRef(variable=name, component=CONTROLLER, variable_instance=instance), value=value)


def test_keys_of_1_6_are_learned():
    found = Ability().learned(
        [
            key("ChargeProfileMaxStackLevel", "8"),
            key("ChargingScheduleMaxPeriods", "24"),
            key("MaxChargingProfilesInstalled", "10"),
            key("ChargingScheduleAllowedChargingRateUnit", "Current, Power"),
            key("ConnectorSwitch3to1PhaseSupported", "true"),
        ]
    )
    assert (found.stack_level_max, found.periods_max, found.profiles_max) == (8, 24, 10)
    assert (found.units, found.phases_3_to_1) == ((RateUnit.A, RateUnit.W), True)
    assert not found.wants_probe


def test_variables_of_2_x_are_learned():
    found = Ability().learned(
        [
            variable("ProfileStackLevel", "3"),
            variable("PeriodsPerSchedule", "12"),
            variable("RateUnit", "W"),
            variable("Phases3to1", "false"),
            variable("LimitChangeSignificance", "2.5"),
            variable("UpdateRateLimit", "60"),
            variable("MaxExternalConstraintsId", "99"),
            variable("ACPhaseSwitchingSupported", "True"),
            variable("SupportsFeature", "true", "DynamicProfiles"),
            variable("SupportsFeature", "true", "MaxOfflineDuration"),
            variable("SupportsFeature", "true", "LimitAtSoC"),
        ]
    )
    assert (found.stack_level_max, found.periods_max, found.units) == (3, 12, (RateUnit.W,))
    assert (found.phases_3_to_1, found.significance_percent, found.update_s_min) == (False, 2.5, 60.0)
    assert (found.external_id_max, found.phase_choice, found.dynamic, found.offline) == (99, True, True, True)


OF_OTHERS = VariableRef(variable="PeriodsPerSchedule", component="Other")
AT_MOST = VariableRef(variable="PeriodsPerSchedule", component=CONTROLLER, attribute="MaxSet")


@pytest.mark.parametrize(
    "entry",
    [
        *(variable("PeriodsPerSchedule", value) for value in ("many", "-3", "0", "nan", "inf", "", None)),
        variable("RateUnit", "Horsepower"),
        variable("Phases3to1", "perhaps"),
        variable("UpdateRateLimit", "inf"),
        VariableEntry(ref=OF_OTHERS, value="3"),
        VariableEntry(ref=AT_MOST, value="3"),
    ],
)
def test_what_makes_no_sense_says_nothing(entry):
    assert Ability().learned([entry]) == Ability()


@pytest.mark.parametrize("version", list(Version))
def test_each_version_can_be_asked(version):
    action, payload = command_call(version, probe_of(version))
    asked = payload.get("key") or payload.get("getVariableData")
    assert action in ("GetConfiguration", "GetVariables")
    assert len(asked) == {"1.6": 5, "2.0.1": 5, "2.1": 10}[version]


def refusing(*purposes, units=tuple(RateUnit)):
    return Ability(refused=frozenset(Refusal(purpose, unit) for purpose in purposes for unit in units))


TX, DEFAULT, STATION_MAX = ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT, ProfilePurpose.STATION_MAX


@pytest.mark.parametrize(
    ("ability", "dc", "alone", "way"),
    [
        (Ability(), False, True, Way(Rung.TX, RateUnit.A)),
        (Ability(), True, True, Way(Rung.TX, RateUnit.W)),
        (Ability(units=(RateUnit.W,)), False, True, Way(Rung.TX, RateUnit.W)),
        (Ability(units=(RateUnit.A,)), True, True, Way(Rung.TX, RateUnit.A)),
        (refusing(TX), False, True, Way(Rung.DEFAULT, RateUnit.A)),
        (refusing(TX, DEFAULT), False, True, Way(Rung.STATION, RateUnit.A)),
        (refusing(TX, DEFAULT), False, False, Way(Rung.NONE, RateUnit.A)),
        (refusing(TX, DEFAULT, STATION_MAX, units=(RateUnit.A,)), False, True, Way(Rung.TX, RateUnit.W)),
        (refusing(TX, DEFAULT, STATION_MAX), False, True, Way(Rung.NONE, RateUnit.A)),
    ],
)
def test_the_way_down(ability, dc, alone, way):
    assert ability.way(dc=dc, alone=alone) == way


def test_no_rung_stands_without_a_default_underneath():
    assert DEFAULT in PURPOSES_OF_RUNG[Rung.TX]
    assert refusing(DEFAULT).way(dc=False, alone=True).rung is Rung.STATION
