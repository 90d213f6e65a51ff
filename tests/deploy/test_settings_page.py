"""The generated page of settings."""

from pathlib import Path

from deploy.settings import Settings
from deploy.settings_catalogue import settings_of
from deploy.settings_page import page

COMMITTED = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_committed_page_is_fresh():
    assert COMMITTED.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_setting_is_on_the_page():
    text = page()
    for setting in settings_of(Settings):
        assert f"`{setting.env}`" in text


def test_every_row_has_five_cells():
    for line in page().splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") == 6, line
