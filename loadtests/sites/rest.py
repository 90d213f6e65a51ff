"""Tells a Narke things over REST, as its operator would; with the first API key of its data directory."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from loadtests.audit.running import RunningNarke
from loadtests.sites.loop_options import LoopError

TIMEOUT_S = 30.0


def put(narke: RunningNarke, path: str, body: Any) -> None:
    """PUT below /api/v1.

    Raises:
        LoopError: Narke refuses it; says what it said.
    """
    _send(narke, "PUT", path, json.dumps(body).encode())


def delete(narke: RunningNarke, path: str) -> None:
    """DELETE below /api/v1. Raises LoopError."""
    _send(narke, "DELETE", path, None)


def _send(narke: RunningNarke, method: str, path: str, body: bytes | None) -> None:
    told = narke.run_file
    key = Path(str(told["api_key_file"])).read_text().strip()
    request = urllib.request.Request(  # noqa: S310 (the run file's own http URL)
        f"{told['http_url']}/api/v1{path}",
        data=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method=method,
    )
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT_S).close()  # noqa: S310 (likewise)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        raise LoopError(f"{method} {path}: Narke answered {error.code}: {said}") from None
    except OSError as error:
        raise LoopError(f"{method} {path}: {error}") from None
