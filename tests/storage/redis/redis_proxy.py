"""A TCP way to Redis that tests can hold up or cut, to make replies and commands late or lost."""

import asyncio
import contextlib


class RedisProxy:
    """Forwards to a port of 127.0.0.1. Both switches concern connections that are open when they are used.

    `hold()`: what clients send is kept until `release()`, even if they hang up meanwhile, and is then delivered.
    `cut_replies()`: what is sent reaches Redis, but instead of the first reply the connection ends.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._upstream = port
        self._cut = False
        self._released = asyncio.Event()
        self._released.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hold(self) -> None:
        self._released = asyncio.Event()

    def let_others_pass(self) -> asyncio.Event:
        """New connections are not held; the returned event releases those that are."""
        held, self._released = self._released, asyncio.Event()
        self._released.set()
        return held

    async def delivered(self) -> None:
        """Waits until Redis has answered everything that was held."""
        await asyncio.gather(*self._late)

    def cut_replies(self) -> None:
        self._cut = True

    def heal(self) -> None:
        self._cut = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        back = asyncio.create_task(self._backward(up_reader, writer))
        try:
            while data := await reader.read(1 << 20):
                if not self._released.is_set():
                    late = asyncio.create_task(self._forward_late(self._released, data, up_writer, back))
                    self._late.add(late)
                    await late
                    return
                up_writer.write(data)
                await up_writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client or the test hung up
        finally:
            back.cancel()
            writer.close()
            up_writer.close()

    async def _forward_late(
        self, released: asyncio.Event, data: bytes, up_writer: asyncio.StreamWriter, back: asyncio.Task[None]
    ) -> None:
        await released.wait()
        up_writer.write(data)
        up_writer.write_eof()
        await asyncio.gather(back, return_exceptions=True)

    async def _backward(self, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await up_reader.read(1 << 20):
                if self._cut:
                    writer.transport.abort()
                    return
                writer.write(data)


class OneAnswer:
    """Pretends to be a Redis that says the same to everybody, or something else where a word is asked for."""

    def __init__(self, answer: bytes, answer_of_word: dict[bytes, bytes]) -> None:
        self._answer = answer
        self._answer_of_word = answer_of_word
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while asked := await reader.read(1 << 16):
                answers = (answer for word, answer in self._answer_of_word.items() if word in asked)
                writer.write(next(answers, self._answer))
