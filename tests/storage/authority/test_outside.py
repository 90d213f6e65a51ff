import asyncio
import ipaddress

import pytest

from storage.authority.outside import Outside, OutsideFailed, is_public
from tests.storage.authority.responder import responding

pytestmark = pytest.mark.integration


@pytest.fixture
async def outside():
    made = Outside(5.0, private=True)
    yield made
    await made.close()


async def failure(outside, url, **more):
    with pytest.raises(OutsideFailed) as caught:
        await outside.fetch(url, bytes_max=100, **more)
    return str(caught.value)


async def test_a_body_is_posted_with_its_type(outside):
    async with responding() as responder:
        responder.answers["/x?y=1"] = b"answer"
        body = await outside.fetch(responder.url("/x?y=1"), bytes_max=100, body=b"question", body_type="a/b")
        assert body == b"answer"
        assert responder.asked == [("POST", "/x?y=1", b"question")]
        assert responder.headers[0]["host"] == f"127.0.0.1:{responder.port}"


async def test_private_addresses_are_not_asked_unless_allowed():
    outside = Outside(5.0, private=False)
    async with responding() as responder:
        responder.answers["/"] = b"secret"
        assert "not a public address" in await failure(outside, responder.url())
        assert "not a public address" in await failure(outside, f"http://localhost:{responder.port}/")
        assert responder.asked == []
    await outside.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_addresses_of_ones_own_network_are_known_in_every_disguise(address, public):
    assert is_public(ipaddress.ip_address(address)) is public


async def test_redirects_are_not_followed(outside):
    async with responding() as responder:
        responder.answers["/"] = lambda _: (302, b"")
        assert "HTTP 302" in await failure(outside, responder.url())


async def test_too_much_is_not_read(outside):
    async with responding() as responder:
        responder.answers["/"] = b"x" * 101
        assert "more than 100 bytes" in await failure(outside, responder.url())


async def test_who_does_not_answer_is_given_up():
    slow = Outside(0.05, private=True)
    async with responding() as responder:
        responder.answers["/"] = asyncio.Event()
        assert "within 0.05 s" in await failure(slow, responder.url())
        responder.answers["/"].set()
    await slow.close()


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "", "http://user:secret@127.0.0.1/", "http://127.0.0.1:x/"],
)
async def test_what_is_no_address_of_the_web_is_refused(outside, url):
    assert "no http or https address" in await failure(outside, url)


async def test_a_refused_connection_says_which_host(outside):
    assert "127.0.0.1" in await failure(outside, "http://127.0.0.1:1/")


async def test_a_name_that_nobody_knows_fails(outside):
    assert "cannot be found" in await failure(outside, "http://no-such-host.invalid/")
