"""The authenticator: verdicts are remembered, bounded, and forgotten with the hash."""

import asyncio

import pytest

from ingress.ocpp import authentication
from ingress.ocpp.authentication import Authenticator
from ingress.settings import OcppSettings


@pytest.fixture
def checks(monkeypatch):
    """Every real check of a password, in order."""
    made = []

    def verify(password_hash, presented, *, hex_passwords):
        made.append((password_hash, presented, hex_passwords))
        return password_hash == f"hash of {presented.decode()}"

    monkeypatch.setattr(authentication, "verify_password", verify)
    return made


@pytest.fixture
def authenticator():
    made = Authenticator(OcppSettings(password_memory_entries_max=2))
    yield made
    made.close()


async def test_a_verdict_is_remembered_whether_good_or_bad(authenticator, checks):
    for _ in range(3):
        assert await authenticator.verify("CP1", "hash of a", b"a")
        assert not await authenticator.verify("CP1", "hash of a", b"b")
    assert len(checks) == 2


async def test_a_new_hash_is_checked_anew(authenticator, checks):
    assert await authenticator.verify("CP1", "hash of a", b"a")
    assert not await authenticator.verify("CP1", "hash of b", b"a")
    assert len(checks) == 2


async def test_stations_do_not_share_verdicts(authenticator, checks):
    await authenticator.verify("CP1", "hash of a", b"a")
    await authenticator.verify("CP2", "hash of a", b"a")
    assert len(checks) == 2


async def test_the_memory_is_bounded_and_forgets_the_oldest(authenticator, checks):
    for word in "abc":
        await authenticator.verify("CP1", f"hash of {word}", word.encode())
    await authenticator.verify("CP1", "hash of c", b"c")
    assert len(checks) == 3
    await authenticator.verify("CP1", "hash of a", b"a")
    assert len(checks) == 4


async def test_a_verdict_expires(checks):
    authenticator = Authenticator(OcppSettings(password_memory_s=0))
    await authenticator.verify("CP1", "hash of a", b"a")
    await authenticator.verify("CP1", "hash of a", b"a")
    authenticator.close()
    assert len(checks) == 2


async def test_a_hash_that_is_none_lets_nobody_in():
    authenticator = Authenticator(OcppSettings())
    assert not await authenticator.verify("CP1", "rubbish", b"x")
    authenticator.close()


@pytest.mark.usefixtures("checks")
async def test_checks_run_beside_the_loop(authenticator):
    verdicts = await asyncio.gather(*(authenticator.verify(f"CP{n}", "hash of a", b"a") for n in range(10)))
    assert verdicts == [True] * 10
