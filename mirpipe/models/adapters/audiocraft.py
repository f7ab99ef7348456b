"""MusicGen-Melody as audiocraft loads and runs it: without a network, one request at a time.

The package imports others at its top that serve its training and its files; its attention asks
xformers for a mask's name and for torch's own `unbind`. Its loader fetches T5 and Demucs from the
hub, and computes in float16 wherever there is a GPU. Demucs builds whatever class a checkpoint
names. The patches stand here and last as long as the call that needs them.

Why requests are not batched: see `mirpipe.models.adapters.musicgen_melody`.
"""

import math
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import demucs.hf
import demucs.pretrained
import torch
import transformers
from demucs.apply import BagOfModels
from safetensors import safe_open

from mirpipe.errors import PluginError
from mirpipe.models.adapters.musicgen_melody import check_tokenizer, folder_of, quiet
from mirpipe.models.adapters.seeded_generation import one_by_one
from mirpipe.models.adapters.torch_runtime import device
from mirpipe.records import Float32, Request
from mirpipe.specs import GeneratorSpec, Runtime

SEPARATOR_CLASS = "demucs.htdemucs.HTDemucs"

Names = Mapping[str, Mapping[str, Any]]
_ATTENTION: Names = {
    "xformers": {},
    "xformers.ops": {
        "unbind": torch.unbind,
        "LowerTriangularMask": type("LowerTriangularMask", (), {}),
        "memory_efficient_attention": None,
    },
}
"""What attention looks up; it calls `unbind` alone."""
_NEVER_CALLED: Names = {
    "av": {},
    "flashy": {},
    "flashy.distrib": {},
    "spacy": {},
    # another decoder, which drags in all of the training
    "audiocraft.models.multibanddiffusion": {"MultiBandDiffusion": None},
}


@contextmanager
def standing_in(modules: Names) -> Iterator[None]:
    """While it lasts, modules of these names hold what is given; those that are loaded stay."""
    added = {name: ModuleType(name) for name in modules if name not in sys.modules}
    for name, module in added.items():
        vars(module).update(modules[name])
        package, _, part = name.rpartition(".")
        if package in added:
            setattr(added[package], part, module)
    sys.modules.update(added)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


# before they stand in, since transformers looks around for some of them when it loads these
_ = transformers.EncodecModel, transformers.RobertaTokenizer, transformers.T5EncoderModel
with standing_in({**_ATTENTION, **_NEVER_CALLED}):
    from audiocraft.models import MusicGen, loaders
    from audiocraft.modules import conditioners


class Audiocraft:
    """The model of one checkpoint, with its text encoder and its separator."""

    def __init__(
        self,
        runtime: Runtime,
        spec: GeneratorSpec,
        *,
        language_model: Path,
        codec: Path,
        text_encoder: Mapping[str, Path],
        separator: Path,
    ) -> None:
        """`text_encoder` holds config.json, tokenizer.json and model.safetensors of T5.

        Raises PluginError where weights are missing or a file is not what it should be.
        """
        self.device = device(runtime.device)
        self._sampling = dict(spec.sampling)
        self._spec = spec
        with folder_of(text_encoder) as folder:
            words, encoder = load_text_encoder(folder)
        states = {"state_dict.bin": language_model, "compression_state_dict.bin": codec}
        with _loading(states, words, encoder, load_separator(separator)):
            self._model = MusicGen.get_pretrained("files at hand", device=self.device.type)
        self._set_precision(getattr(torch, runtime.compute_dtype))

    def generate(self, requests: Sequence[Request]) -> list[Float32]:
        """One clip a request, in order; see `one_by_one`."""
        return one_by_one(requests, self._make, self._spec)

    def _make(self, request: Request) -> Any:
        heard = request.conditioning if request.mode.is_conditioned else None
        self._model.set_generation_params(
            duration=self._duration(request.seconds),
            cfg_coef=request.mode.guidance,
            **self._sampling,
        )
        with standing_in(_ATTENTION):
            if heard is None:
                return self._model.generate([request.prompt])[0, 0]
            melody = torch.from_numpy(heard.samples)[None, None]
            made = self._model.generate_with_chroma([request.prompt], melody, heard.sample_rate)
        return made[0, 0]

    def _duration(self, seconds: float) -> float:
        """Seconds from which the package, which rounds down, makes frames for all of `seconds`."""
        rate, longest = self._model.frame_rate, self._model.max_duration
        frames = math.ceil(seconds * rate)
        return float(longest) if frames == longest * rate else (frames + 0.5) / rate

    def _set_precision(self, dtype: Any) -> None:
        """Has the language model compute in `dtype`, and the separator and chroma in float32."""
        where = self.device.type
        for part in (self._model.lm, self._model.compression_model):
            part.float().requires_grad_(False)
        self._model.autocast = torch.autocast(where, dtype=dtype, enabled=dtype != torch.float32)
        chroma = self._model.lm.condition_provider.conditioners["self_wav"]
        chroma.autocast = torch.autocast(where, enabled=False)


def load_text_encoder(folder: Path) -> tuple[Any, Any]:
    """T5's tokenizer and encoder of the published files; asks no network.

    Raises PluginError where weights are missing, or the tokenizer is another model's.
    """
    words = transformers.T5Tokenizer.from_pretrained(folder, local_files_only=True)
    with quiet():
        encoder, report = transformers.T5EncoderModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    if missing := sorted(report["missing_keys"]):
        raise PluginError(f"T5 lacks {len(missing)} weights, {missing[0]} among them")
    check_tokenizer(words, encoder.config.vocab_size)
    return words, encoder.requires_grad_(False)


def load_separator(checkpoint: Path) -> Any:
    """Demucs of one safetensors file. Raises PluginError where that names another class."""
    with safe_open(checkpoint, framework="pt") as file:
        said = file.metadata() or {}
    if said.get("klass") != SEPARATOR_CLASS or "structure" in said:
        raise PluginError(f"{checkpoint} is not a checkpoint of {SEPARATOR_CLASS}")
    return BagOfModels([demucs.hf.load_safetensors_model(checkpoint)]).eval().requires_grad_(False)


@contextmanager
def _loading(
    states: Mapping[str, Path], words: Any, encoder: Any, separator: Any
) -> Iterator[None]:
    """While it lasts, the package loads these, and nothing else from anywhere.

    The files are read as tensors and text alone: a pickle that wants more is refused.
    """

    def read(_name: Any, filename: str, **_options: Any) -> Any:
        saved = torch.load(states[filename], map_location="cpu", weights_only=True, mmap=True)
        if "pretrained" in saved:
            raise PluginError(f"{states[filename]} names a model instead of holding one")
        return saved

    def given(thing: Any) -> Any:
        return SimpleNamespace(from_pretrained=lambda _name: thing)

    with ExitStack() as patches:
        for module, name, stands_in in (
            (loaders, "_get_state_dict", read),
            (conditioners, "T5Tokenizer", given(words)),
            (conditioners, "T5EncoderModel", given(encoder)),
            (demucs.pretrained, "get_model", lambda _name: separator),
        ):
            patches.enter_context(mock.patch.object(module, name, stands_in))
        patches.enter_context(standing_in(_ATTENTION))
        patches.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated")
        yield
