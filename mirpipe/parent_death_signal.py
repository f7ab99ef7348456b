"""Make a child process end when its parent process ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def dies_with_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes the kernel signal the child when its parent ends.

    With this function, the child ends even if the parent is killed by SIGKILL. Returns None on
    systems other than Linux, which do not offer this feature.
    """
    if sys.platform != "linux":
        return None
    # The library is loaded here because loading it after the fork is not safe.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the signal was set
            os._exit(1)

    return set_death_signal
