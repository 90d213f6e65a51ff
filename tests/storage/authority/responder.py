"""A real HTTP server on 127.0.0.1 that answers as a test says: OCSP, revocation lists, contract pools."""

import asyncio
from contextlib import asynccontextmanager


class Responder:
    """Answers by path. `answers[path]`: body, or a callable of (body of the request) -> (status, body)."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.headers = []
        self.port = 0

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            method, path, _ = lines[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append((method, path, body))
            self.headers.append(headers)
            found = self.answers.get(path)
            if isinstance(found, asyncio.Event):
                await found.wait()
                status, content = 200, b""
            elif callable(found):
                status, content = found(body)
            else:
                status, content = (404, b"") if found is None else (200, found)
            location = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{location}Connection: close\r\n\r\n".encode()
            )
            writer.write(content)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def responding():
    responder = Responder()
    server = await asyncio.start_server(responder.serve, "127.0.0.1", 0)
    responder.port = server.sockets[0].getsockname()[1]
    try:
        yield responder
    finally:
        server.close()
        await server.wait_closed()
