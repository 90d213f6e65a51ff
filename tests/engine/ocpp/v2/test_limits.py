"""The limits are those of the official schemas."""

import pytest

from engine.ocpp.translation import NotExpressible
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


@BOTH
def test_tokens_are_bound_as_the_schema_binds_them(version, definitions):
    bounds = limits.LIMITS_OF[version]
    official = definitions(version, "RequestStartTransaction")
    properties = official["IdTokenType"]["properties"]
    assert bounds.token_length_max == properties["idToken"]["maxLength"]
    if bounds.token_types is None:
        assert bounds.token_type_length_max == properties["type"]["maxLength"]
    else:
        assert bounds.token_types == set(official["IdTokenEnumType"]["enum"])


@BOTH
def test_values_resets_and_names_are_bound_as_the_schema_binds_them(version, definitions):
    bounds = limits.LIMITS_OF[version]
    variables = definitions(version, "SetVariables")
    official_value = variables["SetVariableDataType"]["properties"]["attributeValue"]
    assert bounds.attribute_value_length_max == official_value["maxLength"]
    for owner in ("ComponentType", "VariableType"):
        for name in ("name", "instance"):
            assert variables[owner]["properties"][name]["maxLength"] == limits.NAME_LENGTH_MAX
    assert bounds.reset_kinds == set(definitions(version, "Reset")["ResetEnumType"]["enum"])


@BOTH
def test_every_trigger_is_in_the_table(version, definitions):
    official = set(definitions(version, "TriggerMessage")["MessageTriggerEnumType"]["enum"])
    assert limits.LIMITS_OF[version].triggers == official


@BOTH
def test_each_row_knows_its_version(version):
    assert limits.LIMITS_OF[version].version is version


def test_a_text_that_fits_is_handed_back():
    assert limits.require_length("ä" * 36, 36, "a thing", Version.V201) == "ä" * 36


def test_a_text_that_does_not_fit_says_by_how_much():
    with pytest.raises(NotExpressible) as caught:
        limits.require_length("ä" * 37, 36, "a thing", Version.V201)
    assert str(caught.value) == "OCPP 2.0.1 holds 36 characters in a thing, this one has 37: use a shorter one"


def test_a_name_is_not_empty():
    with pytest.raises(NotExpressible, match=r"2\.1 needs a name: name it"):
        limits.require_name("", "a name", Version.V21)
