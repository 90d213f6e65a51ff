"""Settings that cannot work are refused."""

import pytest
from pydantic import ValidationError

from smartcharging.wire import WireSettings


def test_every_setting_says_what_it_is():
    for name, field in WireSettings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 20


@pytest.mark.parametrize(
    "wrong",
    [{"lease_s": 10}, {"boundary_s": 1000}, {"renew_s": 3500.0}, {"significance_a": -1}, {"audit_s": 1}, {"foo": 1}],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        WireSettings(**wrong)
