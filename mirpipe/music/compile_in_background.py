"""Compiles librosa's functions in a process of its own, while the servers start.

Otherwise, the first tasks that need them would all wait for the one that compiles them.
"""

import signal
import subprocess
import sys
from threading import Thread

from mirpipe.music.compiled_functions import use_compiled_functions
from mirpipe.music.numba_cache import claim_cache
from mirpipe.parent_death_signal import dies_with_parent


def compile_in_background() -> subprocess.Popen[bytes]:
    """Start the process, and return it. It ends at once if the functions are already compiled.

    The process also ends if this process does. If it fails, the tasks compile the functions.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )
    # Without a thread that waits for it, the ended process would stay in the process table.
    Thread(target=process.wait, daemon=True).start()
    return process


if __name__ == "__main__":
    claim_cache()
    use_compiled_functions()
