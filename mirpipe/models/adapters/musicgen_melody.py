"""Runs MusicGen-Melody, loaded by transformers, one request at a time and with exact clip lengths.

Requests are not batched, because a clip would then depend on the other requests in its batch: one
seed determines the random numbers of all rows, and sums are rounded differently if the batch size
differs. On a GPU, batches would be much faster, because a batch takes hardly longer than one row.

Before version 5.18, transformers ignored text, melody and guidance without an error. These versions
are refused.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.seeded_generation import generate_one_by_one
from mirpipe.models.adapters.tokenizer_check import check_tokenizer_size
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Runtime

OLDEST_VERSION = (5, 18)
"""First transformers version in which MusicGen-Melody uses text, melody and guidance."""


class MusicgenMelody:
    """The model loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, spec: GeneratorSpec) -> None:
        """Load the model. Raises PluginError if transformers is too old or weights are missing."""
        require_version(transformers.__version__)
        self.device = choose_device(runtime.device)
        self._spec = spec
        files = {file.filename: path for file, path in runtime.files.items()}
        with weight_folder(files) as folder:
            self._processor = load_processor(folder)
            self._model = load_model(folder, getattr(torch, runtime.compute_dtype))
        self._model.to(self.device)
        check_tokenizer_size(self._processor.tokenizer, self._model.config.text_encoder.vocab_size)

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one clip per request, in order. See `generate_one_by_one`."""
        return generate_one_by_one(requests, self._generate_clip, self._spec)

    def _generate_clip(self, request: GenerationRequest) -> Any:
        decoder, codec = self._model.decoder, self._model.config.audio_encoder
        frames = math.ceil(request.seconds * codec.frame_rate)
        clips = self._model.generate(
            **self._inputs(request),
            # Each codebook starts one step after the previous codebook.
            max_new_tokens=frames + decoder.num_codebooks - 1,
            guidance_scale=request.mode.guidance,
            **self._spec.sampling,
        )
        return clips[0, 0]

    def _inputs(self, request: GenerationRequest) -> Any:
        conditioning = request.conditioning if request.mode.is_conditioned else None
        audio: dict[str, Any] = {}
        if conditioning is not None:
            audio = {"audio": conditioning.samples, "sampling_rate": conditioning.sample_rate}
        inputs = self._processor(text=[request.prompt], return_tensors="pt", **audio)
        inputs = inputs.to(self.device)
        if conditioning is not None:
            inputs["input_features"] = inputs["input_features"].to(self._model.dtype)
        return inputs


def require_version(version: str) -> None:
    """Raise PluginError if this version of transformers ignores text, melody and guidance."""
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VERSION:
        raise PluginError(
            f"transformers {version} ignores text, melody and guidance in MusicGen-Melody. Run "
            f"`mirpipe models install` to install {OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or later"
        )


def load_processor(folder: Path) -> Any:
    """Return the feature extractor and the tokenizer, loaded from this folder only."""
    return transformers.MusicgenMelodyProcessor(
        transformers.MusicgenMelodyFeatureExtractor.from_pretrained(folder, local_files_only=True),
        transformers.T5Tokenizer.from_pretrained(folder, local_files_only=True),
    )


def load_model(folder: Path, dtype: Any) -> Any:
    """Return the model, in evaluation mode, on the CPU, loaded from this folder only.

    The text encoder and the decoder are in `dtype`, and the codec is in float32. Raises PluginError
    if weights are missing, because transformers would leave them random.
    """
    with errors_only():
        model, report = transformers.MusicgenMelodyForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    refuse_missing_weights("The MusicGen-Melody checkpoint", report["missing_keys"])
    for name, part in model.named_children():
        if name != "audio_encoder":
            part.to(dtype)
    return model.eval().requires_grad_(False)
