"""An authority made once: RSA keys take a second."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.authority.folder import Places
from storage.authority.local import LocalAuthority
from storage.authority.settings import CertificateSettings

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SETTINGS = CertificateSettings(organisation="City Power")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of an authority, to be copied."""
    path = tmp_path_factory.mktemp("authority") / "ca"
    LocalAuthority.create(Places(path), SETTINGS, NOW)
    return path


@pytest.fixture
def places(made, tmp_path) -> Places:
    """An authority's folder of the test's own."""
    path: Path = tmp_path / "ca"
    shutil.copytree(made, path)
    return Places(path)


@pytest.fixture
def authority(places) -> LocalAuthority:
    """An authority of the test's own."""
    return LocalAuthority(places, SETTINGS)
