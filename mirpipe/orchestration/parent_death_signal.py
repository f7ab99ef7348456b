"""Ties a child process to the life of its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def dies_with_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends the child this signal when its parent is gone.

    Even a parent killed by SIGKILL then leaves no child running. None where the kernel knows no
    such thing (macOS).
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: a forked child must not
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie
