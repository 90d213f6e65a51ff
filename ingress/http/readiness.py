"""Readiness: asks every part at once whether it can work, each within a time-out."""

import asyncio
from collections.abc import Mapping

import msgspec

from ingress.http.services import Check


class Component(msgspec.Struct, frozen=True):
    """A part of Narke and whether it can work. `detail`: for people."""

    name: str
    ready: bool
    detail: str


async def ask_all(checks: Mapping[str, Check], timeout_s: float) -> tuple[Component, ...]:
    """The parts in the order of `checks`."""
    return tuple(await asyncio.gather(*(_ask(name, check, timeout_s) for name, check in checks.items())))


async def _ask(name: str, check: Check, timeout_s: float) -> Component:
    try:
        async with asyncio.timeout(timeout_s):
            return Component(name, ready=True, detail=await check())
    except TimeoutError:
        return Component(name, ready=False, detail=f"no answer within {timeout_s:g} s")
    except Exception as error:  # noqa: BLE001 (whatever a check raises means: not ready; its text is the reason)
        return Component(name, ready=False, detail=str(error).strip() or type(error).__name__)
