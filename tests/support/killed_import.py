"""Imports a file of vectors in a process that is killed within the import."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_CODE = """
import os, signal, sys
from pathlib import Path
from mirpipe.operations import import_vectors, vector_file
vector_file.BLOCK_NUMBERS = 6
def kill(done, _total):
    if done > 4: os.kill(os.getpid(), signal.SIGKILL)
add_tracks = sys.argv[2] == "True"
import_vectors.import_vectors(Path(sys.argv[1]), add_tracks=add_tracks, progress=kill)
"""


def killed_import(file: Path, *, add_tracks: bool = False) -> None:
    """Import blocks of two vectors, and kill the process after the third block."""
    command = [sys.executable, "-c", _CODE, str(file), str(add_tracks)]
    killed = subprocess.run(command, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
