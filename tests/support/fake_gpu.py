"""Simulates a machine with one GPU, and plug-ins that compute on it."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from mirpipe.specs import Needs, Runtime

ON_GPU = Needs(("torch",), weights=())
"""The needs of a plug-in that computes on a GPU if there is one."""


def add_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace torch until the test ends, so that this machine seems to have one GPU."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "fake_torch")
    for name in ("torch", "mirpipe.models.adapters.torch_device"):
        # The import comes last: what is in sys.modules before `setitem` is restored later.
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        del sys.modules[name]
        import_module(name)


def compute_on_gpu(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    """Let the fake plug-in `name` of this kind compute on the GPU until the test ends."""
    module = import_module(f"mirpipe.plugins.{kind}.{name}")

    class Plugin(module.Plugin):  # type: ignore[misc, name-defined]
        def __init__(self, runtime: Runtime) -> None:
            super().__init__()
            self.device = runtime.device

    monkeypatch.setattr(module, "NEEDS", ON_GPU, raising=False)
    monkeypatch.setattr(module, "Plugin", Plugin)
