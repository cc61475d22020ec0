"""Run as a script: ties the program it becomes to its parent, then becomes that program.

Arguments: the parent's pid, the signal to get when it dies, the user, then the program's own.
The user is `own`, `nobody`, or `mapped`: still root to the files, but `nobody` to the program,
for programs that refuse to run as root. The order matters: a change of user clears the signal.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def main(parent_pid: int, death_signal: int, user: str, program: list[str]) -> None:
    """Never returns: the process becomes `program`, or exits when its parent is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if user != "own":
        nobody = pwd.getpwnam("nobody")
    if user == "nobody":
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    elif user == "mapped":
        if libc.unshare(CLONE_NEWUSER) != 0:
            sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} 0 1")
        Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} 0 1")
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent_pid:
            sys.exit("the parent is gone")
    os.execvp(program[0], program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
