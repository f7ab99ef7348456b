"""Patches for the library audiocraft: import without unused packages, and load without a network.

The library imports several packages that it uses only for training and for file formats. Its
attention code looks up names in xformers, which is not needed either. Its loader downloads T5 and
Demucs from the hub. Each patch is undone at the end of its `with` block.
"""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import demucs.pretrained
import torch
import transformers

from mirpipe.errors import PluginError

StubModules = Mapping[str, Mapping[str, Any]]
"""Contents of stub modules, by module name."""

_ATTENTION: StubModules = {
    "xformers": {},
    "xformers.ops": {
        "unbind": torch.unbind,
        "LowerTriangularMask": type("LowerTriangularMask", (), {}),
        "memory_efficient_attention": None,
    },
}
"""Names that the library's attention code looks up. It calls only `unbind`, which is in torch."""

_NEVER_CALLED: StubModules = {
    "av": {},
    "flashy": {},
    "flashy.distrib": {},
    "spacy": {},
    # This module contains another decoder, and importing it would load all the training code.
    "audiocraft.models.multibanddiffusion": {"MultiBandDiffusion": None},
}
"""Modules that the library imports but that are never called by mirpipe."""


@contextmanager
def stub_modules(contents: StubModules) -> Iterator[None]:
    """While the context is open, modules with these names can be imported as stubs.

    A module that is already imported is not replaced.
    """
    stubs = {name: ModuleType(name) for name in contents if name not in sys.modules}
    for name, module in stubs.items():
        vars(module).update(contents[name])
        package, _, submodule = name.rpartition(".")
        if package in stubs:
            setattr(stubs[package], submodule, module)
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            del sys.modules[name]


# transformers looks for some of these packages when it loads the following classes. The classes
# must therefore be loaded before the stubs exist.
_ = transformers.EncodecModel, transformers.RobertaTokenizer, transformers.T5EncoderModel
with stub_modules({**_ATTENTION, **_NEVER_CALLED}):
    from audiocraft.models import MusicGen, loaders
    from audiocraft.modules import conditioners

__all__ = ["MusicGen", "loading_only", "stub_attention", "stub_modules"]


def stub_attention() -> AbstractContextManager[None]:
    """Return a context in which the library's attention code runs without xformers."""
    return stub_modules(_ATTENTION)


@contextmanager
def loading_only(
    files: Mapping[str, Path], *, tokenizer: Any, text_encoder: Any, separator: Any
) -> Iterator[None]:
    """While the context is open, the library loads only these files and parts.

    `files` maps the file names that the library uses to paths. Only tensors and text are read from
    the files: torch raises UnpicklingError if a file contains anything else.
    """

    def read_state(_name: Any, filename: str, **_options: Any) -> Any:
        state = torch.load(files[filename], map_location="cpu", weights_only=True, mmap=True)
        if "pretrained" in state:
            raise PluginError(
                f"{files[filename]} refers to another model and has no weights. Delete the file "
                "and run `mirpipe models pull` again"
            )
        return state

    def loader_of(part: Any) -> Any:
        return SimpleNamespace(from_pretrained=lambda _name: part)

    with ExitStack() as patches:
        for module, name, replacement in (
            (loaders, "_get_state_dict", read_state),
            (conditioners, "T5Tokenizer", loader_of(tokenizer)),
            (conditioners, "T5EncoderModel", loader_of(text_encoder)),
            (demucs.pretrained, "get_model", lambda _name: separator),
        ):
            patches.enter_context(mock.patch.object(module, name, replacement))
        patches.enter_context(stub_attention())
        patches.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated")
        yield
