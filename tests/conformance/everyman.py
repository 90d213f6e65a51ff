"""A station of raw frames that says and answers anything, with a thread that listens: for tests without a loop."""

import contextlib
import itertools
import json
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from loadtests.fuzz.talking import SUBPROTOCOL_OF_VERSION

WAIT_S = 30


class Everyman:
    """One connection. `calls`: what Narke called, as (action, payload); answered from `answers`, by action."""

    def __init__(self, url, version, answers):
        self.version = version
        self.answers = dict(answers)
        self.calls = []
        self._said = {}
        self._numbers = itertools.count(1)
        self._heard = threading.Condition()
        protocols = [SUBPROTOCOL_OF_VERSION[version]]
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(
            connect(url, subprotocols=protocols, compression=None, ping_interval=None, proxy=None)
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def say(self, action, payload, message_type=2):
        """Says it; the answering frame (None of a SEND)."""
        message_id = f"{action[:20]}-{next(self._numbers)}"
        self._socket.send(json.dumps([message_type, message_id, action, payload]))
        return None if message_type == 6 else self._wait(lambda: self._said.get(message_id))

    def wait_for_call(self, action, count=1):
        """The payload of the `count`-th call of that action."""
        return self._wait(lambda: [payload for name, payload in self.calls if name == action][count - 1 : count])[0]

    def called(self, action):
        """How often Narke called that."""
        return sum(name == action for name, _ in self.calls)

    def close(self):
        self._open.close()
        self._listening.join(WAIT_S)

    def _wait(self, what):
        until = time.monotonic() + WAIT_S
        with self._heard:
            while not (found := what()):
                left = until - time.monotonic()
                assert left > 0, f"not within {WAIT_S} s"
                self._heard.wait(left)
        return found

    def _listen(self):
        with contextlib.suppress(ConnectionClosed):
            for text in self._socket:
                frame = json.loads(text)
                with self._heard:
                    if frame[0] == 2:
                        self._answer(*frame[1:])
                    else:
                        self._said[frame[1]] = frame
                    self._heard.notify_all()

    def _answer(self, message_id, action, payload):
        self.calls.append((action, payload))
        answer = self.answers.get(action)
        if answer is None:
            frame = [4, message_id, "NotImplemented", "no answer to this", {}]
        else:
            frame = [3, message_id, answer]
        self._socket.send(json.dumps(frame))
