"""Becomes a server: run as a script, it gives up what root may do, binds its life to its parent's, and execs.

A script of its own because the parent has threads (Ray's, ours), and between fork and exec of such a process only the
plainest calls are safe. Standard library only; nothing of Narke is imported.

    python -I -S launch.py <mode> <parent pid> <death signal> <folder> <program> <argument>...

Modes: `self`, as the user that we are; `namespace`, root in a user namespace where it is called 65534; `nobody`, user
and group 65534; `nobody+search`, the same with the one capability to pass folders that are closed to others.
Exit status 125: it could not become that; the reason is on stderr.
"""

import ctypes
import os
import sys

NOBODY = 65534
FAILED = 125

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_namespace() -> None:
    """Root outside, 65534 inside: files of root stay ours, and the server finds that it is not root."""
    uid, gid = os.geteuid(), os.getegid()
    _checked(_libc.unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {uid} 1"),
        ("gid_map", f"{NOBODY} {gid} 1"),
    ):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as handle:  # noqa: PTH123 (start quickly)
            handle.write(text)


def become_nobody(*, search: bool) -> None:
    """User and group 65534, no other groups; with `search` it keeps CAP_DAC_OVERRIDE and nothing else."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    if search:
        _checked(_libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if search:
        bit = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low half, high half
        _checked(_libc.capset(header, sets), "capset")
        _checked(
            _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "prctl(PR_CAP_AMBIENT_RAISE)"
        )


def main(arguments: list[str]) -> int:
    """Does not return when all goes well."""
    mode, parent, death_signal, folder, *command = arguments
    try:
        if mode == "namespace":
            enter_namespace()
        elif mode.startswith("nobody"):
            become_nobody(search=mode == "nobody+search")
        # After the change of user, which clears it. The signal comes when the thread that started us ends.
        _checked(_libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != int(parent):
            return FAILED  # it died before the line above; nobody waits for us
        os.umask(0o077)
        os.chdir(folder)
        os.execv(command[0], command)  # noqa: S606 (that is the purpose)
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]} as {mode}: {error}\n")
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
