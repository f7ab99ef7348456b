"""MusicGen-Melody as transformers runs it: one request at a time, of exact length.

A batch would not keep what is promised: the seed draws for all rows of a batch at once, and sums
round otherwise in a batch of another size, so a clip would depend on what stands beside it. What
a batch would give is a GPU kept busy: its rows are made in nearly the time of one.

Before 5.18 the library ignored text, melody and guidance without a word; it is refused.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters.seeded_generation import one_by_one
from mirpipe.models.adapters.torch_runtime import device
from mirpipe.records import Float32, Request
from mirpipe.specs import GeneratorSpec, Runtime

OLDEST = (5, 18)
"""The first transformers whose MusicGen-Melody heeds what it is told."""


class MusicgenMelody:
    """The model of one checkpoint."""

    def __init__(self, runtime: Runtime, spec: GeneratorSpec) -> None:
        """Raises PluginError where transformers is too old or weights are missing."""
        require_version(transformers.__version__)
        self.device = device(runtime.device)
        self._spec = spec
        files = {file.filename: path for file, path in runtime.files.items()}
        with folder_of(files) as folder:
            self._processor = load_processor(folder)
            self._model = load_model(folder, getattr(torch, runtime.compute_dtype))
        self._model.to(self.device)
        check_tokenizer(self._processor.tokenizer, self._model.config.text_encoder.vocab_size)

    def generate(self, requests: Sequence[Request]) -> list[Float32]:
        """One clip a request, in order; see `one_by_one`."""
        return one_by_one(requests, self._make, self._spec)

    def _make(self, request: Request) -> Any:
        decoder, codec = self._model.decoder, self._model.config.audio_encoder
        frames = math.ceil(request.seconds * codec.frame_rate)
        made = self._model.generate(
            **self._inputs(request),
            # each codebook starts a step after the one before
            max_new_tokens=frames + decoder.num_codebooks - 1,
            guidance_scale=request.mode.guidance,
            **self._spec.sampling,
        )
        return made[0, 0]

    def _inputs(self, request: Request) -> Any:
        heard = request.conditioning if request.mode.is_conditioned else None
        audio = (
            {} if heard is None else {"audio": heard.samples, "sampling_rate": heard.sample_rate}
        )
        inputs = self._processor(text=[request.prompt], return_tensors="pt", **audio)
        inputs = inputs.to(self.device)
        if heard is not None:
            inputs["input_features"] = inputs["input_features"].to(self._model.dtype)
        return inputs


def require_version(version: str) -> None:
    """Raises PluginError for a transformers that would ignore text, melody and guidance."""
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise PluginError(
            f"transformers {version} ignores text, melody and guidance in MusicGen-Melody; "
            f"{OLDEST[0]}.{OLDEST[1]} or later does not: `make models` installs it"
        )


def check_tokenizer(tokenizer: Any, words: int) -> None:
    """Raises PluginError where the tokenizer is not that of a model that knows so many words.

    Without its file the library makes an empty one, in which every text is alike.
    """
    if not 0.9 * words < len(tokenizer) <= words:
        raise PluginError(f"the tokenizer holds {len(tokenizer)} tokens; the model knows {words}")


@contextmanager
def folder_of(files: Mapping[str, Path]) -> Iterator[Path]:
    """While it lasts, a folder with the files under these names: what the library loads from."""
    with TemporaryDirectory() as name:
        for filename, path in files.items():
            (Path(name) / filename).symlink_to(path.resolve())
        yield Path(name)


def load_processor(folder: Path) -> Any:
    """Feature extractor and tokenizer of the published files; asks no network."""
    return transformers.MusicgenMelodyProcessor(
        transformers.MusicgenMelodyFeatureExtractor.from_pretrained(folder, local_files_only=True),
        transformers.T5Tokenizer.from_pretrained(folder, local_files_only=True),
    )


def load_model(folder: Path, dtype: Any) -> Any:
    """The model, evaluating, on the CPU; text encoder and decoder in `dtype`, the codec in float32.

    Raises PluginError where weights are missing, which the library would leave random.
    """
    with quiet():
        model, report = transformers.MusicgenMelodyForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    if missing := sorted(report["missing_keys"]):
        raise PluginError(f"the checkpoint lacks {len(missing)} weights, {missing[0]} among them")
    for name, part in model.named_children():
        if name != "audio_encoder":
            part.to(dtype)
    return model.eval().requires_grad_(False)


@contextmanager
def quiet() -> Iterator[None]:
    """While it lasts, transformers shows no bar and says nothing but errors.

    It would warn of the token that stands for no code, which lies outside of the codes on purpose.
    """
    said = transformers.utils.logging
    had_bars, verbosity = said.is_progress_bar_enabled(), said.get_verbosity()
    said.disable_progress_bar()
    said.set_verbosity_error()
    try:
        yield
    finally:
        said.set_verbosity(verbosity)
        if had_bars:
            said.enable_progress_bar()
