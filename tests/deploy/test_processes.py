"""What the kernel says about processes."""

import os
import signal
import subprocess
import sys

import pytest

from deploy.processes import birth_of, command_of, is_alive, program_of, signal_all, wait_until_gone, working_in


@pytest.fixture
def child(tmp_path):
    process = subprocess.Popen(["/bin/sleep", "60"], cwd=tmp_path)
    yield process
    process.kill()
    process.wait()


def test_a_process_lives_until_it_is_killed(child):
    birth = birth_of(child.pid)
    assert is_alive(child.pid, birth)
    assert not is_alive(child.pid, birth + 1)
    signal_all([child.pid], signal.SIGKILL)
    assert wait_until_gone([child.pid], 10) == []
    assert not is_alive(child.pid)
    child.wait()
    signal_all([child.pid], signal.SIGKILL)


def test_who_does_not_end_is_returned(child):
    assert wait_until_gone([child.pid], 0) == [child.pid]


def test_processes_are_found_by_their_folder(child, tmp_path):
    assert working_in(tmp_path) == [child.pid]
    assert program_of(child.pid) == "sleep"
    assert command_of(child.pid) == "/bin/sleep 60"


def test_names_with_spaces_and_brackets_do_not_confuse(tmp_path):
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(program), "60"])
    try:
        assert birth_of(process.pid) >= birth_of(os.getpid())
    finally:
        process.kill()
        process.wait()


def test_nobody_is_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert birth_of(process.pid) is None
    assert command_of(process.pid) == ""
    assert program_of(process.pid) == ""
