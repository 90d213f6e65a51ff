"""Where a station comes from: whom to believe, how far back, and what cannot be read."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from ingress.ocpp.forwarded import Caller, Proxies

PROXIES = Proxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"])
PROXY = Caller("10.1.1.1", 5000, "10.1.1.1")


def resolved(caller=PROXY, **headers):
    return PROXIES.resolve(caller, Headers({name.replace("_", "-"): value for name, value in headers.items()}))


def test_only_the_networks_named_are_trusted():
    assert all(map(PROXIES.trusts, ("10.255.0.1", "2001:db8::1", "127.0.0.1", "::ffff:10.0.0.1")))
    assert not any(map(PROXIES.trusts, ("11.0.0.1", "2001:db9::1", "127.0.0.2", "", "unix")))
    assert not Proxies([]).trusts("127.0.0.1")


def test_a_stranger_s_headers_are_as_if_they_were_not_there():
    stranger = Caller("203.0.113.1", 1, "203.0.113.1")
    told = {"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https", "Forwarded": "for=1.1.1.1;proto=https"}
    assert resolved(stranger, **told) == stranger


@pytest.mark.parametrize(
    ("told", "host", "port"),
    [
        ({"X_Forwarded_For": "203.0.113.7"}, "203.0.113.7", None),
        ({"X_Forwarded_For": "6.6.6.6, 203.0.113.7"}, "203.0.113.7", None),
        ({"X_Forwarded_For": "6.6.6.6, 203.0.113.7, 10.2.2.2"}, "203.0.113.7", None),
        ({"X_Forwarded_For": "10.3.3.3, 10.2.2.2"}, "10.3.3.3", None),
        ({"X_Forwarded_For": "203.0.113.7:4711"}, "203.0.113.7", 4711),
        ({"X_Forwarded_For": "203.0.113.7, rubbish"}, "10.1.1.1", 5000),
        ({"X_Forwarded_For": "203.0.113.7, rubbish, 10.2.2.2"}, "10.2.2.2", None),
        ({"X_Forwarded_For": ""}, "10.1.1.1", 5000),
        ({"Forwarded": "for=203.0.113.7"}, "203.0.113.7", None),
        ({"Forwarded": 'for="[2001:db9::7]:4711";proto=https;by=10.1.1.1'}, "2001:db9::7", 4711),
        ({"Forwarded": 'For="203.0.113.7:99", for=10.2.2.2'}, "203.0.113.7", 99),
        ({"Forwarded": "for=unknown"}, "10.1.1.1", 5000),
        ({"Forwarded": "for=_hidden, for=10.2.2.2"}, "10.2.2.2", None),
        ({"Forwarded": "for=203.0.113.7", "X_Forwarded_For": "6.6.6.6"}, "203.0.113.7", None),
        ({}, "10.1.1.1", 5000),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_station_s(told, host, port):
    caller = resolved(**told)
    assert (caller.host, caller.port, caller.peer) == (host, port, "10.1.1.1")


@pytest.mark.parametrize(
    ("told", "tls"),
    [
        ({}, False),
        ({"X_Forwarded_Proto": "https"}, True),
        ({"X_Forwarded_Proto": "WSS"}, True),
        ({"X_Forwarded_Proto": "http"}, False),
        ({"X_Forwarded_Proto": "https, http"}, False),
        ({"X_Forwarded_Proto": "http, https"}, True),
        ({"Forwarded": "for=1.2.3.4;proto=https"}, True),
        ({"Forwarded": 'for="1.2.3.4";proto="http"', "X_Forwarded_Proto": "https"}, False),
    ],
)
def test_whether_the_station_speaks_tls_is_what_the_last_proxy_says(told, tls):
    assert resolved(**told).tls is tls


def test_a_proxy_that_itself_speaks_tls_with_us_says_nothing_about_the_station():
    secure = PROXY._replace(tls=True, certificate=b"the proxy's own")
    assert resolved(secure) == PROXY._replace(tls=True)
    assert not resolved(secure, X_Forwarded_Proto="http").tls


def test_the_station_s_certificate_is_taken_with_tls_only():
    word = f":{base64.b64encode(b'der').decode()}:"
    assert resolved(Client_Cert=word, X_Forwarded_Proto="https").certificate == b"der"
    assert resolved(Client_Cert=word).certificate is None
    for rubbish in ("", ":", "::x", "AAAA", ":%%%:", ":" + "A" * 40_000 + ":"):
        assert not resolved(Client_Cert=rubbish, X_Forwarded_Proto="https").certificate


def test_an_address_for_people():
    assert Caller("203.0.113.7", 5, "").address == "203.0.113.7:5"
    assert Caller("2001:db8::7", 5, "").address == "[2001:db8::7]:5"
    assert Caller("2001:db8::7", None, "").address == "2001:db8::7"


_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200)


@given(_TEXT, _TEXT)
def test_no_header_breaks_the_reading(forwarded, others):
    caller = resolved(Forwarded=forwarded, X_Forwarded_For=others, X_Forwarded_Proto=others, Client_Cert=others)
    assert caller.peer == "10.1.1.1"
