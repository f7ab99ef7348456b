"""Makes torchaudio and torchvision importable with a CPU build of torch.

PyPI has only CUDA builds of these two packages. With a CPU build of torch, their native libraries
cannot be loaded, and importing the packages fails. The model libraries use only the Python code of
the packages, so the native libraries are not needed. If a native library cannot be loaded, the
Python module that needs it is replaced by what the package itself uses in a build without native
code. If the library can be loaded, nothing is changed.
"""

import ctypes
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch  # torch must be loaded before the native libraries that link to it.


def make_importable() -> None:
    """Make `import torchaudio` and `import torchvision` work. A second call is safe."""
    if not _native_library_loads("torchaudio", "lib/_torchaudio*.so"):
        stub = ModuleType("torchaudio._extension")
        stub.__dict__.update(
            _IS_TORCHAUDIO_EXT_AVAILABLE=False,
            _IS_ALIGN_AVAILABLE=False,
            _check_cuda_version=lambda: None,
            fail_if_no_align=_raise_when_called,
        )
        sys.modules.setdefault(stub.__name__, stub)
    if not _native_library_loads("torchvision", "_C*.so", is_required=True):
        # The real module describes native operators to the compiler. Without native code, there are
        # none.
        stub = ModuleType("torchvision._meta_registrations")
        sys.modules.setdefault(stub.__name__, stub)


def _native_library_loads(package: str, pattern: str, *, is_required: bool = False) -> bool:
    """Return False if a native library of an installed package cannot be loaded.

    If `is_required` is true, also return False if there is none.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return True
    paths = list(Path(spec.origin).parent.glob(pattern))
    try:
        for path in paths:
            ctypes.CDLL(str(path))
    except OSError:
        return False
    return bool(paths) or not is_required


def _raise_when_called(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that raises RuntimeError in place of `function`."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError(
            f"{function.__name__} needs torchaudio's native library, which cannot be loaded "
            f"with torch {torch.__version__}. Install a torchaudio build for this version"
        )

    return fail
