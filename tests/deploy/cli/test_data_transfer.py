"""What the data of a vendor's message is on the command line."""

import pytest

from deploy.cli.data_transfer import _data_of


@pytest.mark.parametrize(
    ("text", "data"),
    [('{"a": 1}', {"a": 1}), ("[1]", [1]), ('"a"', "a"), ("text", "text"), ("5", "5"), ("{broken", "{broken")],
)
def test_json_is_json_and_all_else_is_a_text(text, data):
    assert _data_of(text) == data
