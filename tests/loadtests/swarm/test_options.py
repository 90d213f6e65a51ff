"""What the user may say, and what is said when it is wrong."""

import argparse
from types import SimpleNamespace

import pytest

from loadtests.swarm import options as o

PARSED = {
    "shape": "",
    "ocpp_url": "ws://csms:9000/ocpp/",
    "api_key": "",
    "tokens": " A , B,",
    "prefix": "P",
    "station_password": "",
    "ca_file": "",
    "insecure": False,
    "connectors": 2,
    "meter_interval": 1.5,
    "charge_time": 60.0,
    "pause": 0.0,
    "answer_timeout": 30.0,
}


def parsed(**changes):
    return SimpleNamespace(**PARSED | changes)


def test_options_are_read_as_locust_parsed_them():
    options = o.options_of(parsed(), "https://csms:8443/")
    assert (options.ocpp_url, options.rest_url) == ("ws://csms:9000/ocpp", "https://csms:8443")
    assert options.tokens == ("A", "B")
    assert (options.api_key, options.password, options.ca_file) == (None, None, None)
    assert (options.connectors, options.meter_interval_s, options.pause_s) == (2, 1.5, 0.0)


def test_no_host_is_the_default_one():
    assert o.options_of(parsed(), None).rest_url == o.REST_URL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ocpp_url": "csms:9000"}, "--ocpp-url: 'csms:9000' will not do; expected ws:// or wss://"),
        ({"ocpp_url": "ws://:9000/ocpp"}, "--ocpp-url"),
        ({"ocpp_url": "ws://csms:99999/ocpp"}, "is no URL"),
        ({"ocpp_url": "ws://me:secret@csms/ocpp"}, "no user and password in the URL"),
        ({"ocpp_url": "ws://csms/ocpp?x=1"}, "--ocpp-url"),
        ({"tokens": " , "}, "--tokens: names no token"),
        ({"tokens": "X" * 21}, "longer than the 20 characters"),
        ({"prefix": ""}, "--prefix"),
        ({"prefix": "a:b"}, "--prefix"),
        ({"prefix": "x" * 29}, "--prefix"),
        ({"connectors": 0}, "--connectors: '0' will not do; expected a whole number, 1 to 64"),
        ({"meter_interval": 0.0}, "--meter-interval"),
        ({"pause": float("nan")}, "--pause"),
        ({"answer_timeout": 601.0}, "--answer-timeout"),
        ({"api_key": "two words"}, "--api-key"),
        ({"ca_file": "/nowhere.pem"}, "--ca-file: there is no file /nowhere.pem"),
        ({"shape": "hurricane"}, "--shape: there is no shape 'hurricane'"),
    ],
)
def test_what_is_wrong_is_named(changes, said):
    with pytest.raises(o.OptionError) as caught:
        o.options_of(parsed(**changes), None)
    assert said in str(caught.value)


def test_a_file_without_certificates_is_named(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(o.OptionError, match="holds no certificates"):
        o.Options(ca_file=str(empty)).tls()


def test_the_parser_gets_defaults_that_pass_their_own_checks():
    given = {}

    class Parser:
        def add_argument(self, name, **settings):
            given[name] = settings

    o.add_arguments(Parser())
    defaults = {name.removeprefix("--").replace("-", "_"): one.get("default", False) for name, one in given.items()}
    assert o.options_of(argparse.Namespace(**defaults), None) == o.Options()
