"""Who comes in with which security profile: through real sockets, right and wrong."""

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from websockets.exceptions import InvalidMessage, InvalidStatus

from engine.model.stations import StationRecord
from engine.ports import JournalUnavailable
from ingress import metrics
from ingress.ocpp.gatekeeper import profiles_wanted
from ingress.ocpp.passwords import generate_password, hash_password, hash_random_password
from ingress.settings import OcppSettings
from tests.ingress.ocpp.authority import DAY, Authority, now

PASSWORD = generate_password()
HASH = hash_random_password(PASSWORD)
NEXT = generate_password()


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


GOOD = {"additional_headers": basic("CP1", PASSWORD)}
NEW = {"additional_headers": basic("CP1", NEXT)}


def station(**fields):
    return StationRecord("CP1", password_hash=HASH, **fields)


async def answer(connecting):
    """The HTTP status that a station gets; 101: it is in."""
    try:
        async with connecting:
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def refusal(connecting):
    """Status, body and headers of the refusal."""
    with pytest.raises(InvalidStatus) as caught:
        async with connecting:
            pass
    response = caught.value.response
    return response.status_code, response.body.decode(), response.headers


def events(name):
    return metrics.security_events.labels(name)._value.get()


# Profiles 0 to 2


async def test_a_station_of_profile_0_may_come_with_tls_and_without(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    assert await answer(ingress.connect()) == 101
    assert await answer(ingress.connect(ssl=authority.trusting())) == 101


async def test_profile_1_is_a_password_on_a_plain_connection(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=1)
    assert await answer(ingress.connect(**GOOD)) == 101
    assert await answer(ingress.connect()) == 401
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 403


async def test_profile_2_is_a_password_over_tls_and_nothing_on_a_plain_connection(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=2)
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 101
    assert await answer(ingress.connect(ssl=authority.trusting())) == 401
    assert await answer(ingress.connect(ssl=authority.trusting(), **NEW)) == 401
    seen = events("SecurityProfileMismatch")
    for options in (GOOD, NEW, {}):  # whether the password is right is not told
        status, body, _ = await refusal(ingress.connect(**options))
        assert (status, "wss://" in body) == (403, True)
    assert events("SecurityProfileMismatch") == seen + 3


async def test_a_wrong_password_is_a_security_event(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=2)
    seen = events("FailedToAuthenticateAtCsms")
    status, _, headers = await refusal(ingress.connect(ssl=authority.trusting(), **NEW))
    assert (status, headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Basic")
    assert events("FailedToAuthenticateAtCsms") == seen + 1


async def test_the_lowest_profile_of_the_system_holds_for_all(make_tls_ingress, authority):
    ingress = await make_tls_ingress(security_profile_min=2)
    ingress.book.records["CP1"] = station(security_profile=1)
    assert await answer(ingress.connect(**GOOD)) == 403
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 101
    assert ingress.book.records["CP1"].security_profile == 2
    assert await answer(ingress.connect("/stranger", ssl=authority.trusting())) == 401


# Profile 3


async def test_profile_3_is_a_certificate_of_the_station(make_tls_ingress, authority):
    ingress = await make_tls_ingress(tls_organizations=("Operator", "Maker"))
    ingress.book.records["CP1"] = station(security_profile=3)
    for good in (
        authority.client("CP1"),
        authority.client("CP1", organization="Maker"),
        authority.client("elsewhere", dns="CP1"),
    ):
        assert await answer(ingress.connect(ssl=good)) == 101
    seen = events("InvalidChargingStationCertificate")
    assert await answer(ingress.connect(ssl=authority.client("CP2"))) == 403
    assert await answer(ingress.connect(ssl=authority.client("CP1", organization="Nobody"))) == 403
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 403
    assert await answer(ingress.connect(**GOOD)) == 403
    assert events("InvalidChargingStationCertificate") == seen + 3


async def test_the_serial_number_may_be_the_name_in_the_certificate(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=3, certificate_name="SN-77")
    assert await answer(ingress.connect(ssl=authority.client("SN-77"))) == 101
    assert await answer(ingress.connect(ssl=authority.client("CP1"))) == 403


async def test_a_certificate_alone_opens_the_door_where_profile_3_is_demanded_of_all(make_tls_ingress, authority):
    ingress = await make_tls_ingress(security_profile_min=3)
    assert await answer(ingress.connect(ssl=authority.client("CP1"))) == 101
    assert await answer(ingress.connect(ssl=authority.client("CP2"))) == 403
    assert await answer(ingress.connect(ssl=authority.trusting())) == 403


@pytest.mark.parametrize("wrong", ["expired", "unknown authority", "authority of the same name"])
async def test_a_certificate_that_cannot_be_verified_ends_the_tls_handshake(
    make_tls_ingress, authority, tmp_path, wrong, eventually
):
    issuer = {
        "expired": authority,
        "unknown authority": Authority(tmp_path, "Another Root"),
        "authority of the same name": Authority(tmp_path, "Test Root"),
    }[wrong]
    until = now() - DAY if wrong == "expired" else None
    context = issuer.client("CP1", until=until, trust=authority)
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=3)
    seen = events("InvalidChargingStationCertificate")
    with pytest.raises((OSError, InvalidMessage)):
        async with ingress.connect(ssl=context):
            pass
    await eventually(lambda: events("InvalidChargingStationCertificate") == seen + 1)
    assert ingress.server._connections == {}


async def test_a_revoked_certificate_lets_nobody_in(make_tls_ingress, authority):
    certificate, key = authority.issue("CP1")
    context = authority.trusting()
    file = authority._write("revoked-one.pem", certificate, key)
    context.load_cert_chain(file)
    ingress = await make_tls_ingress(tls_crls=[authority.revoke(certificate)])
    ingress.book.records["CP1"] = station(security_profile=3)
    status, body, _ = await refusal(ingress.connect(ssl=context))
    assert (status, "revoked" in body) == (403, True)
    assert await answer(ingress.connect(ssl=authority.client("CP1"))) == 101


async def test_a_certificate_of_no_use_does_not_keep_a_right_password_out(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=2)
    assert await answer(ingress.connect(ssl=authority.client("maker's own"), **GOOD)) == 101
    ingress.book.records["CP1"] = station()
    assert await answer(ingress.connect(ssl=authority.client("maker's own"), **GOOD)) == 101
    assert await answer(ingress.connect(ssl=authority.client("maker's own"))) == 403


# Up, and never down again


async def test_a_station_comes_with_a_higher_profile_when_it_was_told_to_and_never_goes_back(
    make_tls_ingress, authority
):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=1).with_profile_next(2)
    assert await answer(ingress.connect(**GOOD)) == 101
    assert ingress.book.records["CP1"].security_profile == 1
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 101
    assert ingress.book.records["CP1"] == station(security_profile=2)
    assert await answer(ingress.connect(**GOOD)) == 403

    ingress.book.records["CP1"] = ingress.book.records["CP1"].with_profile_next(3)
    assert await answer(ingress.connect(ssl=authority.client("CP1"))) == 101
    assert ingress.book.records["CP1"] == station(security_profile=3)
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 403


async def test_higher_profiles_are_welcome_at_any_time_where_that_is_asked_for(make_tls_ingress, authority):
    ingress = await make_tls_ingress(security_profile_upgrades="any")
    ingress.book.records["CP1"] = station(security_profile=1)
    assert await answer(ingress.connect(ssl=authority.client("CP1"))) == 101
    assert ingress.book.records["CP1"].security_profile == 3
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 403


async def test_from_3_to_2_and_no_further_where_the_record_allows_it(make_tls_ingress, authority):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=3, downgrade_allowed=True)
    assert await answer(ingress.connect(ssl=authority.trusting(), **GOOD)) == 101
    assert ingress.book.records["CP1"].security_profile == 3
    assert await answer(ingress.connect(**GOOD)) == 403


# The password that is on its way


async def test_both_passwords_are_right_until_the_new_one_was_shown(ingress):
    ingress.book.records["CP1"] = station(security_profile=1).with_password_next(hash_random_password(NEXT))
    assert await answer(ingress.connect(**GOOD)) == 101
    assert ingress.book.records["CP1"].password_hash == HASH
    assert await answer(ingress.connect(**NEW)) == 101
    assert ingress.book.records["CP1"].password_hash != HASH
    assert ingress.book.records["CP1"].password_hash_next is None
    assert await answer(ingress.connect(**GOOD)) == 401
    assert await answer(ingress.connect(**NEW)) == 101


async def test_a_first_password_can_be_on_its_way_too(ingress):
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1).with_password_next(hash_password(NEXT))
    assert await answer(ingress.connect(**GOOD)) == 401
    assert await answer(ingress.connect(**NEW)) == 101


async def test_a_password_that_was_replaced_while_the_station_came_in_is_not_overwritten(ingress):
    known = station(security_profile=1).with_password_next(hash_random_password(NEXT))
    newer = msgspec.structs.replace(known, password_hash_next="$sha256$ed$dA==")
    ingress.book.records["CP1"] = known
    looked_up = ingress.book.station

    async def overtaken(name):
        record = await looked_up(name)
        ingress.book.records["CP1"] = newer
        return record

    ingress.book.station = overtaken
    assert await answer(ingress.connect(**NEW)) == 101
    assert ingress.book.records["CP1"] == newer


async def test_what_cannot_be_recorded_is_not_granted(ingress):
    ingress.book.records["CP1"] = station(security_profile=1).with_password_next(hash_random_password(NEXT))

    async def away(*_):
        raise JournalUnavailable("Redis is away")

    ingress.book.change_station = away
    assert await answer(ingress.connect(**NEW)) == 503
    assert await answer(ingress.connect(**GOOD)) == 101


# Identities that differ in case


@pytest.mark.parametrize(("setting", "status"), [("refuse", 404), ("same", 101)])
async def test_an_identity_that_is_registered_in_another_case(make_ingress, setting, status):
    ingress = await make_ingress(identity_case=setting)
    ingress.book.records["CP1"] = station(security_profile=1)
    assert await answer(ingress.connect("/cp1", additional_headers=basic("cp1", PASSWORD))) == status
    assert {delivery.station for delivery in ingress.actors.decided} <= {"CP1"}


async def test_whoever_comes_as_another_case_of_a_station_needs_its_password(make_ingress):
    ingress = await make_ingress(identity_case="same")
    ingress.book.records["CP1"] = station(security_profile=1)
    assert await answer(ingress.connect("/cp1")) == 401
    assert await answer(ingress.connect("/cp1", additional_headers=basic("CP1", PASSWORD))) == 101


async def test_an_identity_that_is_connected_in_another_case_is_refused(ingress):
    async with ingress.connect("/cp1"):
        status, body, _ = await refusal(ingress.connect("/CP1"))
        assert (status, "cp1" in body) == (404, True)
    assert await answer(ingress.connect("/CP1")) == 101


async def test_an_identity_that_is_connected_in_another_case_is_that_station(make_ingress):
    ingress = await make_ingress(identity_case="same")
    async with ingress.connect("/cp1") as older, ingress.connect("/CP1"):
        await older.wait_closed()
        assert older.close_code == 4000
        assert set(ingress.server._by_station) == {"cp1"}


# Too often


async def test_who_guesses_passwords_is_told_429_and_learns_nothing_more(make_ingress):
    ingress = await make_ingress(failures_per_address_per_min=3)
    ingress.book.records["CP1"] = station(security_profile=1)
    wrong = [await answer(ingress.connect(additional_headers=basic("CP1", f"guess {n}"))) for n in range(5)]
    assert wrong == [401, 401, 401, 429, 429]
    status, body, headers = await refusal(ingress.connect(additional_headers=basic("CP1", "guess 6")))
    assert (status, "password" in body) == (429, False)
    assert 1 <= int(headers["Retry-After"]) <= 20
    assert await answer(ingress.connect("/CP2")) == 101


async def test_the_same_mistake_again_is_no_guess(make_ingress):
    ingress = await make_ingress(failures_per_address_per_min=2)
    ingress.book.records["CP1"] = station(security_profile=1)
    for _ in range(6):
        assert await answer(ingress.connect(additional_headers=basic("CP1", "a mistake"))) == 401
    assert await answer(ingress.connect(**GOOD)) == 101


async def test_a_slow_hash_is_not_even_computed_for_who_failed_too_often(make_ingress, monkeypatch):
    ingress = await make_ingress(failures_per_address_per_min=1)
    ingress.book.records["CP1"] = StationRecord("CP1", security_profile=1, password_hash=hash_password(PASSWORD))
    assert await answer(ingress.connect(additional_headers=basic("CP1", "guess 1"))) == 401
    monkeypatch.setattr(ingress.server._authenticator, "_check", None)
    assert await answer(ingress.connect(additional_headers=basic("CP1", "guess 2"))) == 429


async def test_scanning_for_identities_is_slow(make_ingress):
    ingress = await make_ingress(unknown_stations="refuse", failures_per_address_per_min=2)
    assert [await answer(ingress.connect(f"/scan{n}")) for n in range(4)] == [404, 404, 429, 429]
    ingress.book.records["CP1"] = StationRecord("CP1")
    assert await answer(ingress.connect()) == 101


async def test_one_station_cannot_connect_in_a_tight_loop(make_ingress):
    ingress = await make_ingress(attempts_per_station_per_min=2)
    assert [await answer(ingress.connect()) for _ in range(3)] == [101, 101, 429]
    assert await answer(ingress.connect("/CP2")) == 101


async def test_one_address_cannot_open_connections_without_end_where_that_is_asked_for(make_ingress):
    ingress = await make_ingress(attempts_per_address_per_min=2)
    assert [await answer(ingress.connect(f"/CP{n}")) for n in range(3)] == [101, 101, 429]


# Behind a proxy


async def test_a_trusted_proxy_tells_the_address_and_that_it_spoke_tls(make_ingress):
    ingress = await make_ingress(trusted_proxies=["127.0.0.0/8"], security_profile_min=2)
    ingress.book.records["CP1"] = station(security_profile=2)
    told = {**basic("CP1", PASSWORD), "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    async with ingress.connect(additional_headers=told):
        (session,) = ingress.server._by_station.values()
        assert session._opened.address == "203.0.113.7"
    assert await answer(ingress.connect(**GOOD)) == 403


async def test_nobody_else_s_word_is_taken(make_ingress):
    ingress = await make_ingress(trusted_proxies=["10.0.0.0/8"])
    ingress.book.records["CP1"] = station(security_profile=2)
    told = {**basic("CP1", PASSWORD), "X-Forwarded-Proto": "https", "Forwarded": "proto=https"}
    assert await answer(ingress.connect(additional_headers=told)) == 403


async def test_a_certificate_that_a_trusted_proxy_tells_of_counts(make_ingress, authority):
    der = authority.issue("CP1")[0].public_bytes(Encoding.DER)
    told = {"Client-Cert": f":{base64.b64encode(der).decode()}:", "X-Forwarded-Proto": "https"}
    ingress = await make_ingress(trusted_proxies=["127.0.0.1"])
    ingress.book.records["CP1"] = station(security_profile=3)
    ingress.book.records["CP2"] = StationRecord("CP2", security_profile=3)
    assert await answer(ingress.connect(additional_headers=told)) == 101
    assert await answer(ingress.connect("/CP2", additional_headers=told)) == 403
    assert await answer(ingress.connect(additional_headers={**told, "X-Forwarded-Proto": "http"})) == 403


# The rule alone


@pytest.mark.parametrize(
    ("record", "lowest", "upgrades", "wanted"),
    [
        (StationRecord("A"), 0, "told", {0, 3}),
        (StationRecord("A", password_hash="x"), 0, "told", {1, 2, 3}),
        (StationRecord("A", password_hash_next="x"), 0, "told", {1, 2, 3}),
        (StationRecord("A"), 1, "told", {1, 2, 3}),
        (StationRecord("A", security_profile=1), 0, "told", {1}),
        (StationRecord("A", security_profile=1), 2, "told", {2, 3}),
        (StationRecord("A", security_profile=1, security_profile_next=3), 0, "told", {1, 3}),
        (StationRecord("A", security_profile=1, security_profile_next=3), 2, "told", {3}),
        (StationRecord("A", security_profile=1), 0, "any", {1, 2, 3}),
        (StationRecord("A", security_profile=2), 0, "any", {2, 3}),
        (StationRecord("A", security_profile=3), 1, "any", {3}),
        (StationRecord("A", security_profile=3, downgrade_allowed=True), 0, "told", {2, 3}),
        (StationRecord("A", security_profile=3, downgrade_allowed=True), 3, "told", {3}),
        (StationRecord("A", security_profile=2, downgrade_allowed=True), 0, "told", {2}),
    ],
)
def test_the_profiles_that_are_wanted(record, lowest, upgrades, wanted):
    settings = OcppSettings(
        security_profile_min=lowest, security_profile_upgrades=upgrades, trusted_proxies=("127.0.0.1",)
    )
    assert profiles_wanted(record, settings) == wanted


async def test_connections_are_counted_by_profile(make_tls_ingress, authority, eventually):
    ingress = await make_tls_ingress()
    ingress.book.records["CP1"] = station(security_profile=2)
    async with ingress.connect(ssl=authority.trusting(), **GOOD), ingress.connect("/plain"):
        ingress.server._each_tick()
        counts = [metrics.connections_by_profile.labels(str(profile))._value.get() for profile in range(4)]
        assert counts == [1, 0, 1, 0]
    await eventually(lambda: ingress.server._by_profile == [0, 0, 0, 0])
