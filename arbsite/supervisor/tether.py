"""`python -m arbsite.supervisor.tether PARENT COMMAND…`: become COMMAND, but not outlive PARENT.

Linux sends the process SIGTERM when its parent dies, even by -9, and the request survives exec.
Elsewhere there is no such thing; there the next `up` finds what was left.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask for the signal, then exec; a parent that has died already is noticed too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
