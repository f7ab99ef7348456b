"""Makes torchaudio and torchvision importable beside a torch that they were not built for.

PyPI has CUDA builds of both alone. Beside a CPU torch their native parts do not load, and both fail
at import over it, though what the model libraries use of them is Python. Where a native part does
not load, the module that would need it is replaced by what the package itself has for a build
without one; where it loads, nothing is done.
"""

import ctypes
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch  # its libraries must be in the process before those that link to them


def make_importable() -> None:
    """Has `import torchaudio` and `import torchvision` work; safe to call again."""
    if not _loads("torchaudio", "lib/_torchaudio*.so"):
        stub = ModuleType("torchaudio._extension")
        stub.__dict__.update(
            _IS_TORCHAUDIO_EXT_AVAILABLE=False,
            _IS_ALIGN_AVAILABLE=False,
            _check_cuda_version=lambda: None,
            fail_if_no_align=_fails,
        )
        sys.modules.setdefault(stub.__name__, stub)
    if not _loads("torchvision", "_C*.so"):
        # describes to the compiler operators that are not there
        stub = ModuleType("torchvision._meta_registrations")
        sys.modules.setdefault(stub.__name__, stub)


def _loads(package: str, native: str) -> bool:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return True
    try:
        for path in Path(spec.origin).parent.glob(native):
            ctypes.CDLL(str(path))
    except OSError:
        return False
    return True


def _fails(function: Callable[..., Any]) -> Callable[..., Any]:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError(
            f"{function.__name__} needs torchaudio's native part, which this torch "
            f"({torch.__version__}) cannot load"
        )

    return fail
