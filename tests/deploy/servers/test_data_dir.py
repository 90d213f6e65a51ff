"""The data directory and its lock."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.servers.data_dir import DataDir, DataDirLock, ServerNote, holder_of
from deploy.servers.errors import DataDirError, DataDirInUse

HOLD = "import sys; from pathlib import Path; from deploy.servers.data_dir import DataDirLock; \
DataDirLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def data_dir(tmp_path):
    data_dir = DataDir(tmp_path / "data")
    data_dir.prepare()
    return data_dir


@pytest.fixture
def holder(data_dir):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folders_are_closed_to_others(data_dir):
    for folder in (data_dir.path, data_dir.run, data_dir.secrets, data_dir.log):
        assert mode(folder) == 0o700


def test_preparing_again_changes_nothing_but_opens_no_secrets(data_dir):
    data_dir.secrets.chmod(0o755)
    data_dir.path.chmod(0o711)
    data_dir.prepare()
    assert mode(data_dir.secrets) == 0o700
    assert mode(data_dir.path) == 0o711


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirError, match=r"data is a file, but must be a folder"):
        DataDir(tmp_path / "data").prepare()
    with pytest.raises(DataDirError, match="data"):
        DataDir(tmp_path / "data" / "below").prepare()


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(DataDirError, match=r"/proc/narke.* cannot be used.*--data-dir"):
        DataDir(Path("/proc/narke")).prepare()


def test_passwords_are_made_once_and_closed_to_others(data_dir):
    password, is_new = data_dir.password("redis")
    assert is_new
    assert len(password) >= 32
    assert data_dir.password("redis") == (password, False)
    assert data_dir.password("postgres")[0] != password
    assert mode(data_dir.secrets / "redis.password") == 0o600


def test_an_empty_password_file_of_a_power_cut_is_replaced(data_dir):
    (data_dir.secrets / "redis.password").write_text("")
    assert data_dir.password("redis")[1]


def test_a_damaged_password_file_says_what_to_do(data_dir):
    (data_dir.secrets / "redis.password").write_bytes(b"\xff")
    with pytest.raises(DataDirError, match=r"redis\.password is damaged. Delete it"):
        data_dir.password("redis")


def test_notes_are_kept_by_server(data_dir):
    data_dir.save_note("redis", ServerNote(port=21_000, flavour="redis", version=(6, 2, 14), made=True))
    data_dir.save_note("postgres", ServerNote(port=21_001))
    assert DataDir(data_dir.path).note("redis").version == (6, 2, 14)
    assert data_dir.note("postgres").port == 21_001
    assert data_dir.note("other") == ServerNote()


def test_damaged_notes_say_what_to_do(data_dir):
    data_dir.notes_file.write_text("{")
    with pytest.raises(DataDirError, match=r"servers\.json is damaged .* delete it"):
        data_dir.note("redis")


def test_a_full_disk_is_told_before_anything_starts(data_dir, monkeypatch):
    monkeypatch.setattr("deploy.servers.data_dir.FREE_MB_MIN", 10**9)
    with pytest.raises(DataDirError, match=r"only [\d]+ MB are free on the disk of .*Free some space"):
        data_dir.check_space()


def test_a_second_narke_is_told_who_is_there(data_dir, holder):
    with pytest.raises(DataDirInUse, match=rf"{data_dir.path} already \(process {holder.pid}\).*narke down") as caught:
        DataDirLock(data_dir.path).acquire()
    assert caught.value.pid == holder.pid
    assert holder_of(data_dir.path) == holder.pid


def test_the_lock_ends_with_its_process(data_dir, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert holder_of(data_dir.path) is None
    with DataDirLock(data_dir.path) as lock:
        assert lock.held
        assert holder_of(data_dir.path) == os.getpid()
    assert holder_of(data_dir.path) is None


def test_the_lock_is_not_inherited_by_children(data_dir):
    lock = DataDirLock(data_dir.path).acquire()
    child = subprocess.Popen(
        ["/bin/sh", "-c", "echo runs; read line"], close_fds=False, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"runs\n"  # its exec is over, which closes what is not to be inherited
        lock.release()
        assert holder_of(data_dir.path) is None
    finally:
        child.communicate()


def test_a_data_directory_that_is_not_there_has_no_holder(tmp_path):
    assert holder_of(tmp_path / "none") is None
