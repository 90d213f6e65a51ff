"""API keys on disk."""

import json
import os
import stat
from datetime import UTC, datetime

import pytest

from ingress.http.keys import (
    HASHES_FILE,
    KEY_FILE,
    ApiKey,
    ApiKeys,
    BadKeyFile,
    Scope,
    ensure_first_key,
    new_key,
    read_keys,
    sha256_of,
    stored_key,
    write_keys,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_key_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    before = os.umask(0)
    try:
        ensure_first_key(tmp_path, NOW)
    finally:
        os.umask(before)
    key = stored_key(tmp_path)
    assert key is not None
    assert key.startswith("narke_")
    assert mode(tmp_path / KEY_FILE) == 0o600
    assert mode(tmp_path / HASHES_FILE) == 0o600
    assert key not in (tmp_path / HASHES_FILE).read_text()
    found = ApiKeys(tmp_path).find(key)
    assert found is not None
    assert found.scope is Scope.ADMIN
    ensure_first_key(tmp_path, NOW)
    assert stored_key(tmp_path) == key


def test_a_start_that_died_between_the_two_files_is_completed(tmp_path):
    (tmp_path / KEY_FILE).write_text("narke_half\n")
    ensure_first_key(tmp_path, NOW)
    assert ApiKeys(tmp_path).find("narke_half") is not None


def test_a_first_key_that_the_operator_removed_does_not_come_back(tmp_path):
    ensure_first_key(tmp_path, NOW)
    (tmp_path / KEY_FILE).unlink()
    write_keys(tmp_path / HASHES_FILE, ())
    ensure_first_key(tmp_path, NOW)
    assert stored_key(tmp_path) is None
    assert read_keys(tmp_path / HASHES_FILE) == ()


def test_a_key_added_or_removed_while_running_takes_effect_at_once(tmp_path):
    ensure_first_key(tmp_path, NOW)
    keys = ApiKeys(tmp_path)
    new = new_key()
    assert keys.find(new) is None
    known = read_keys(tmp_path / HASHES_FILE)
    write_keys(tmp_path / HASHES_FILE, (*known, ApiKey("new", sha256_of(new), Scope.READ)))
    assert keys.find(new) is not None
    write_keys(tmp_path / HASHES_FILE, known)
    assert keys.find(new) is None


def test_a_file_broken_while_running_leaves_the_keys_as_they_were(tmp_path):
    ensure_first_key(tmp_path, NOW)
    keys = ApiKeys(tmp_path)
    (tmp_path / HASHES_FILE).write_text('{"keys": [')
    assert keys.find(stored_key(tmp_path)) is not None


@pytest.mark.parametrize("content", ['{"keys": [', "[]", '{"keys": [{"name": "a"}]}', '{"keys": [], "more": 1}', ""])
def test_a_broken_file_at_the_start_is_refused_with_its_name(tmp_path, content):
    (tmp_path / HASHES_FILE).write_text(content)
    with pytest.raises(BadKeyFile, match=HASHES_FILE):
        ApiKeys(tmp_path)
    with pytest.raises(BadKeyFile):
        ensure_first_key(tmp_path, NOW)


def test_two_keys_are_never_the_same():
    assert len({new_key() for _ in range(100)}) == 100


def test_two_keys_of_one_name_are_refused(tmp_path):
    key = ApiKey("a", sha256_of("x"), Scope.READ)
    with pytest.raises(ValueError, match="own name"):
        write_keys(tmp_path / HASHES_FILE, (key, key))


def test_the_file_says_what_people_need(tmp_path):
    ensure_first_key(tmp_path, NOW)
    (key,) = json.loads((tmp_path / HASHES_FILE).read_text())["keys"]
    assert key["name"] == "first"
    assert key["scope"] == "admin"
    assert key["created_at"] == "2026-05-01T00:00:00Z"
