"""Packs the measurement with its libraries into one file, for a machine without a network.

The machine must bring Python, torch, numpy and a CUDA driver. numba is replaced by a stand-in,
because librosa needs it only to compile functions that are never called here.
"""

import argparse
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from mirpipe.settings import PROJECT

LARGEST_BYTES = 60_000_000
CODE = ("mirpipe", "benchmarks", "tests", "tools")
"""Folders of this repository that the measurement imports."""
LEFT_OUT = {"__pycache__", "tests", "fixtures", "e2e", "containers", "node_modules"}
"""Folders of libraries that are not imported."""
UNUSED_SUFFIXES = {".pyc", ".c", ".h", ".a"}
"""librosa needs its .pyi files: it imports what they list."""
ONLY_PYTHON = {"torchaudio", "torchvision", "torchvision.libs"}
"""Folders of libraries without their native code. It fits one version of torch, and the adapters
work without it (`torchaudio_torchvision_compat.py`)."""
OPTIONAL = ("_avif", "libavif")
"""Start of the names of large files that Pillow can do without."""
LIBRARIES = Path(__file__).with_name("libraries.txt")
"""The packages of `requirements/models.txt` that the measurement imports.

torch and numpy are left out: the machine brings them. hf-xet is left out: it only downloads.
"""

NUMBA = '''"""A stand-in for numba: functions are not compiled."""


def _unchanged(*arguments, **_options):
    if len(arguments) == 1 and callable(arguments[0]):
        return arguments[0]
    return lambda function: function


jit = njit = vectorize = guvectorize = stencil = _unchanged
'''


def requirements_of(names: list[str], locked: str) -> str:
    """Return the entries of these packages in the text of a lock file, with their hashes."""
    entries = re.split(r"\n(?=\S)", locked)
    wanted = set(names)
    return "\n".join(entry for entry in entries if re.split("[=<>; ]", entry)[0] in wanted) + "\n"


def pack(archive: Path, python: str) -> int:
    """Write the archive for this Python version, such as `3.12`. Return its size in bytes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        locked = (PROJECT / "requirements/models.txt").read_text()
        (folder / "requirements.txt").write_text(
            requirements_of(LIBRARIES.read_text().split(), locked)
        )
        libraries = folder / "libraries"
        command = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps"]
        command += ["--target", libraries, "--python-version", python]
        command += ["--python-platform", "x86_64-manylinux_2_28", "--require-hashes"]
        subprocess.run([*command, "-r", folder / "requirements.txt"], check=True)
        (libraries / "numba").mkdir()
        (libraries / "numba/__init__.py").write_text(NUMBA)
        with tarfile.open(archive, "w:xz", preset=6) as tar:
            tar.add(libraries, "libraries", filter=_is_imported)
            for part in CODE:
                tar.add(PROJECT / part, f"mirpipe/{part}", filter=_is_code)
    return archive.stat().st_size


def _is_imported(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = Path(member.name)
    parts = set(path.parts)
    is_left_out = (
        parts & LEFT_OUT
        or path.suffix in UNUSED_SUFFIXES
        or path.name.startswith(OPTIONAL)
        or (parts & ONLY_PYTHON and ".so" in path.suffixes)
    )
    return None if is_left_out else member


def _is_code(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member


def main() -> int:
    """Write the archive. Return 1 if it is larger than planned."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_cuda.pack", description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--python", default="3.12", help="the machine's Python version")
    options = parser.parse_args()
    size = pack(options.archive, options.python)
    print(f"{options.archive}: {size / 1e6:.1f} MB")
    if size > LARGEST_BYTES:
        print(f"This is more than {LARGEST_BYTES / 1e6:.0f} MB", file=sys.stderr)
    return int(size > LARGEST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
