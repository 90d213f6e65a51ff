"""A real Ray for the tests of this folder."""

import pytest

from actors import runtime


@pytest.fixture(scope="session")
def ray_running():
    """A local Ray without dashboard, ended afterwards."""
    runtime.start(address=None, namespace="narke-tests", object_store_mb=100)
    yield
    runtime.shutdown()
