"""As whom servers run."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.servers.binaries import Program
from deploy.servers.identity import (
    LAUNCHER,
    Identity,
    can_become,
    choose_identity,
    hand_over,
    launch_command,
    open_for,
    program_for,
    reachable_by_nobody,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
SEE = [sys.executable, "-c", "import os; print(os.geteuid(), os.getegid(), len(os.getgroups()), os.getcwd())"]
STATUS = "cat /proc/self/status"


def become(identity, command, folder="/"):
    return subprocess.run(
        [*launch_command(identity, signal.SIGKILL, Path(folder)), *command], capture_output=True, text=True, check=False
    )


def test_as_ourselves_nothing_changes(tmp_path):
    said = become(Identity.SELF, SEE, tmp_path).stdout.split()
    assert said[0] == str(os.geteuid())
    assert said[3] == str(tmp_path)


@needs_root
def test_in_a_namespace_root_is_called_otherwise_but_keeps_its_files(tmp_path):
    if not can_become(Identity.NAMESPACE):
        pytest.skip("user namespaces are forbidden here")
    said = become(Identity.NAMESPACE, ["/bin/sh", "-c", f"id -u; touch {tmp_path}/mine; {STATUS}"]).stdout
    assert said.splitlines()[0] == "65534"
    assert "CapEff:\t0000000000000000" in said
    assert (tmp_path / "mine").stat().st_uid == 0


@needs_root
def test_nobody_has_no_groups_and_no_powers(tmp_path):
    said = become(
        Identity.NOBODY, ["/bin/sh", "-c", f"id -u; id -G; {STATUS}; touch {tmp_path}/x || echo refused"]
    ).stdout
    assert said.splitlines()[:2] == ["65534", "65534"]
    assert "CapEff:\t0000000000000000" in said
    assert said.endswith("refused\n")


@needs_root
def test_nobody_with_search_has_one_power(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("inside")
    said = become(Identity.NOBODY_SEARCH, ["/bin/sh", "-c", f"cat {closed}/file; {STATUS}"]).stdout
    assert said.startswith("inside")
    assert "CapEff:\t0000000000000002" in said


def test_what_cannot_be_started_says_so():
    done = become(Identity.SELF, ["/no/such/program"])
    assert done.returncode == 125
    assert "cannot start /no/such/program as self" in done.stderr


def test_a_child_whose_parent_is_gone_does_not_start():
    command = [sys.executable, "-I", "-S", str(LAUNCHER), "self", "1", "9", "/", "/bin/echo", "started"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (125, "")


def test_an_ordinary_user_stays_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert choose_identity(tmp_path) is Identity.SELF


@needs_root
def test_without_namespaces_the_folder_decides(tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.servers.identity.can_become", lambda identity: identity is not Identity.NAMESPACE)
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    assert choose_identity(closed / "data") is Identity.NOBODY_SEARCH
    assert choose_identity(Path("/var/lib")) is Identity.NOBODY


@needs_root
def test_root_that_can_become_nobody_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.servers.identity.can_become", lambda _: False)
    with pytest.raises(Exception, match=r"refuses to run as root.*ordinary user.*--postgres-url"):
        choose_identity(tmp_path)


@needs_root
def test_reachable_means_every_folder_is_open(tmp_path):
    assert reachable_by_nobody(Path("/usr/bin"))
    tmp_path.chmod(0o700)
    assert not reachable_by_nobody(tmp_path)


def test_only_plain_nobody_needs_the_folder_open(tmp_path):
    tmp_path.chmod(0o700)
    open_for(Identity.NAMESPACE, tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    open_for(Identity.NOBODY, tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o711


@needs_root
def test_folders_are_handed_over_and_back(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "link").symlink_to("/etc/passwd")
    hand_over(folder, Identity.NOBODY)
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {65534}
    assert Path("/etc/passwd").stat().st_uid == 0
    hand_over(folder, Identity.NAMESPACE)
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {0}


@needs_root
def test_programs_that_are_closed_to_nobody_are_copied_once(tmp_path):
    tree = tmp_path / "closed" / "install"
    (tree / "bin").mkdir(parents=True)
    (tree / "share").mkdir()
    (tree / "include").mkdir()
    (tree / "bin" / "server").write_text("#!/bin/sh\necho run\n")
    (tree / "bin" / "server").chmod(0o700)
    (tree / "share" / "data").write_text("x")
    (tree / "share" / "data").chmod(0o600)
    (tmp_path / "closed").chmod(0o700)
    program = Program("postgres", (18, 6), tree / "bin" / "server", tree)
    copies = tmp_path / "copies"
    assert program_for(Identity.NAMESPACE, program, copies) == program.path
    copy = program_for(Identity.NOBODY, program, copies).parents[1]
    assert copy.parent == copies
    assert stat.S_IMODE((copy / "bin" / "server").stat().st_mode) & 0o005 == 0o005
    assert stat.S_IMODE((copy / "share" / "data").stat().st_mode) & 0o004
    assert not (copy / "include").exists()
    before = (copy / "bin" / "server").stat().st_ino
    assert program_for(Identity.NOBODY, program, copies) == copy / "bin" / "server"
    assert (copy / "bin" / "server").stat().st_ino == before
