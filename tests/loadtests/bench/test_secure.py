"""The benchmark's certificate is one that its stations accept, and its settings are ones that Narke takes."""

import asyncio
import json
import ssl

from ingress.settings import OcppSettings
from loadtests.bench.credentials import HOST, client_context
from loadtests.bench.secure import secure


async def test_stations_accept_the_certificate_and_its_key_is_p_256(tmp_path):
    way = secure(tmp_path)
    assert way.certificate.stat().st_mode & 0o077 == 0
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(way.certificate)

    async def hang_up(_, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(way.certificate), server_hostname=HOST
        )
        assert await reader.read() == b""
        writer.close()


def test_its_settings_are_narke_s(tmp_path):
    way = secure(tmp_path)
    values = {name.removeprefix("ocpp."): value for name, value in way.settings.items()}
    values["tls_certificates"] = json.loads(values["tls_certificates"])
    settings = OcppSettings(**values)
    assert settings.has_tls
    assert way.url.endswith(f":{settings.tls_port}/ocpp")
