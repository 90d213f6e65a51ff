"""Passwords of the benchmark's stations."""

import base64

from loadtests.bench.credentials import authorization, password

SECRET = "00" * 32


def test_each_station_has_its_own_password_of_160_bits_and_each_run_has_others():
    one = password(SECRET, "S-1")
    assert len(bytes.fromhex(one)) == 20
    assert len({one, password(SECRET, "S-2"), password("11" * 32, "S-1")}) == 3
    assert password(SECRET, "S-1") == one


def test_the_header_is_http_basic():
    words = authorization(SECRET, "S-1")
    assert words.endswith("\r\n")
    assert base64.b64decode(words.split()[2]).decode() == f"S-1:{password(SECRET, 'S-1')}"
