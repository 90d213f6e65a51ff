"""For all tests: unit tests cannot reach Ray; a whole Narke for those that want one."""

import sys

import pytest

from tests.running import Narke

WITH_SERVERS = ("integration", "crash", "cluster", "browser")


@pytest.fixture(autouse=True)
def _no_ray_in_unit_tests(request, monkeypatch):
    """A unit test that starts Ray is no unit test."""
    if "ray" in sys.modules and not any(map(request.node.get_closest_marker, WITH_SERVERS)):
        monkeypatch.setattr("ray.init", _refuse)


def _refuse(*_args, **_kwargs):
    raise AssertionError("a unit test must not start Ray: mark it integration")


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    """A running Narke with embedded servers, shared by the tests of a module."""
    running = Narke(tmp_path_factory.mktemp("narke"))
    running.start()
    yield running
    running.stop()
