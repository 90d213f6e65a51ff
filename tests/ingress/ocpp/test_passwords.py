"""Passwords: written, as raw 1.6 keys, and hashes that are none."""

import pytest
from argon2.exceptions import InvalidHashError

from ingress.ocpp.passwords import (
    generate_password,
    hash_password,
    hash_random_password,
    is_quick,
    verify_password,
)

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


def test_a_generated_password_is_right_for_every_version():
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        assert len(password) == 40
        assert len(bytes.fromhex(password)) == 20


def test_a_random_password_has_a_quick_hash_that_is_salted():
    password = generate_password()
    hashed = hash_random_password(password)
    assert is_quick(hashed)
    assert not is_quick(hash_password(password))
    assert password not in hashed
    assert hashed != hash_random_password(password)
    assert verify_password(hashed, password.encode())
    assert not verify_password(hashed, generate_password().encode())


@pytest.mark.parametrize("presented", [bytes.fromhex(HEX_KEY), HEX_KEY.encode(), HEX_KEY.upper().encode()])
def test_a_random_hex_key_is_taken_as_bytes_and_as_digits(presented):
    assert verify_password(hash_random_password(HEX_KEY), presented)


@pytest.mark.parametrize("chosen", ["", "short1234567890", "0" * 40, "abababababababababababababab"])
def test_a_password_that_looks_chosen_gets_no_quick_hash(chosen):
    with pytest.raises(ValueError, match="looks chosen"):
        hash_random_password(chosen)


@pytest.mark.parametrize("rubbish", ["$sha256$", "$sha256$a", "$sha256$a$b$c", "$sha256$%%$%%"])
def test_a_broken_quick_hash_is_an_error(rubbish):
    with pytest.raises(InvalidHashError):
        verify_password(rubbish, b"x")
