"""statusInfo: a code and words, within the bounds of each version."""

import pytest

from engine.ocpp.v2.status_info import status_info
from engine.ocpp.versions import Version


@pytest.mark.parametrize(("version", "length"), [(Version.V201, 512), (Version.V21, 1024)])
def test_texts_are_cut_to_what_a_version_holds(version, length):
    info = status_info("x" * 30, "y" * 2000, version)
    assert info == {"reasonCode": "x" * 20, "additionalInfo": "y" * length}


def test_no_reason_is_unspecified_and_no_detail_is_left_out():
    assert status_info(None, None, Version.V201) == {"reasonCode": "Unspecified"}
