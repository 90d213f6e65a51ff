"""Commands by the name of their word: what is no such word is told where it stands."""

import re

import pytest

from engine.model.display_message import SetDisplayMessage
from engine.model.firmware import UpdateFirmware
from ingress.http.api.words import word_of
from ingress.http.problems import Problem


def test_a_word_is_made_of_its_fields():
    command = word_of("update_firmware", {"location": "ftp://h/f", "retrieve_at": "2026-05-01T10:00:00+02:00"})
    assert isinstance(command, UpdateFirmware)
    assert command.retrieve_at.hour == 10
    shown = word_of("set_display_message", {"message": {"id": 1, "text": {"content": "Hi"}}})
    assert isinstance(shown, SetDisplayMessage)


@pytest.mark.parametrize(
    ("name", "fields", "where"),
    [
        (
            "update_firmware",
            {"location": "f", "install_at": "2026-05-01T10:00:00"},
            "body.install_at: is a time without",
        ),
        (
            "set_display_message",
            {"message": {"id": 1, "text": {"content": "Hi"}, "end_at": "2026-05-01T10:00:00"}},
            r"body.message.end_at: is a time without",
        ),
        ("update_firmware", {}, "body: .*location"),
        ("update_firmware", {"location": 1}, "body.location: "),
        ("update_firmware", {"location": "f", "color": "red"}, "body.color: .*has no field"),
        ("fly", {}, "body.command: there is no command 'fly'"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(name, fields, where):
    with pytest.raises(Problem) as raised:
        word_of(name, fields)
    assert raised.value.status_code == 422
    assert re.search(where, raised.value.detail)
