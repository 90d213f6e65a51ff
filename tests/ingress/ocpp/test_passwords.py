"""Passwords: written, as raw 1.6 keys, and hashes that are none."""

import pytest
from argon2.exceptions import InvalidHashError

from ingress.ocpp.passwords import hash_password, verify_password

HEX_KEY = "00ff10ee20dd30cc40bb50aa60998877"


def test_the_password_is_right_and_another_is_wrong():
    hashed = hash_password("correct horse battery")
    assert verify_password(hashed, b"correct horse battery")
    assert not verify_password(hashed, b"correct horse batterY")
    assert not verify_password(hashed, b"")


def test_two_hashes_of_one_password_differ():
    assert hash_password("0123456789abcdef") != hash_password("0123456789abcdef")


def test_the_hash_names_argon2id_with_19_mib_and_two_passes():
    assert hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("kept", [HEX_KEY, HEX_KEY.upper()])
@pytest.mark.parametrize("presented", [bytes.fromhex(HEX_KEY), HEX_KEY.encode(), HEX_KEY.upper().encode()])
def test_a_hex_key_is_taken_as_bytes_and_as_digits_of_either_case(kept, presented):
    assert verify_password(hash_password(kept), presented)


def test_a_hex_key_is_taken_verbatim_only_where_that_is_asked_for():
    hashed = hash_password(HEX_KEY)
    assert verify_password(hashed, HEX_KEY.encode(), hex_passwords=False)
    assert not verify_password(hashed, bytes.fromhex(HEX_KEY), hex_passwords=False)


def test_a_hash_that_is_none_is_an_error():
    with pytest.raises(InvalidHashError):
        verify_password("not a hash", b"x")
