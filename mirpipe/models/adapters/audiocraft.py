"""Runs MusicGen-Melody, loaded by the library audiocraft, one request at a time.

Requests are not batched, because the library has no attention mask and draws the random numbers of
all rows from one generator: a clip would depend on the other requests in its batch (ADR 50). By
default, the library computes in float16 on every GPU. This module sets the configured dtype.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import demucs.hf
import torch
import transformers
from demucs.apply import BagOfModels
from safetensors import safe_open

from mirpipe.errors import PluginError
from mirpipe.models.adapters.audiocraft_patches import MusicGen, loading_only, stub_attention
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.seeded_generation import generate_one_by_one
from mirpipe.models.adapters.tokenizer_check import check_tokenizer_size
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Runtime

SEPARATOR_CLASS = "demucs.htdemucs.HTDemucs"
"""The only class name that is accepted in a separator checkpoint."""


class Audiocraft:
    """The model loaded from one checkpoint, with its text encoder and its source separator."""

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
        """Load the model. `text_encoder` maps the published names of T5's files to paths.

        T5's files are config.json, tokenizer.json and model.safetensors. Raises PluginError if
        weights are missing or if a file contains something else.
        """
        self.device = choose_device(runtime.device)
        self._sampling = dict(spec.sampling)
        self._spec = spec
        with weight_folder(text_encoder) as folder:
            t5_tokenizer, t5_encoder = load_text_encoder(folder)
        with loading_only(
            {"state_dict.bin": language_model, "compression_state_dict.bin": codec},
            tokenizer=t5_tokenizer,
            text_encoder=t5_encoder,
            separator=load_separator(separator),
        ):
            self.library: Any = MusicGen.get_pretrained("local files", device=self.device.type)
        self._set_precision(getattr(torch, runtime.compute_dtype))

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one clip per request, in order. See `generate_one_by_one`."""
        return generate_one_by_one(requests, self._generate_clip, self._spec)

    def _generate_clip(self, request: GenerationRequest) -> Any:
        conditioning = request.conditioning if request.mode.is_conditioned else None
        self.library.set_generation_params(
            duration=self._duration(request.seconds),
            cfg_coef=request.mode.guidance,
            **self._sampling,
        )
        with stub_attention():
            if conditioning is None:
                return self.library.generate([request.prompt])[0, 0]
            melody = torch.from_numpy(conditioning.samples)[None, None]
            clips = self.library.generate_with_chroma(
                [request.prompt], melody, conditioning.sample_rate
            )
        return clips[0, 0]

    def _duration(self, seconds: float) -> float:
        """Return a duration, in seconds, for which the library generates at least `seconds`.

        The duration must be corrected because the library rounds the number of frames down.
        """
        rate, longest = self.library.frame_rate, self.library.max_duration
        frames = math.ceil(seconds * rate)
        return float(longest) if frames == longest * rate else (frames + 0.5) / rate

    def _set_precision(self, dtype: Any) -> None:
        """Make the language model compute in `dtype`, and all other parts in float32."""
        device_type = self.device.type
        for part in (self.library.lm, self.library.compression_model):
            part.float().requires_grad_(False)
        self.library.autocast = torch.autocast(
            device_type, dtype=dtype, enabled=dtype != torch.float32
        )
        chroma = self.library.lm.condition_provider.conditioners["self_wav"]
        chroma.autocast = torch.autocast(device_type, enabled=False)


def load_text_encoder(folder: Path) -> tuple[Any, Any]:
    """Return T5's tokenizer and its encoder, loaded from this folder only.

    Raises PluginError if weights are missing, or if the tokenizer belongs to another model.
    """
    tokenizer = transformers.T5Tokenizer.from_pretrained(folder, local_files_only=True)
    with errors_only():
        encoder, report = transformers.T5EncoderModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    refuse_missing_weights("The T5 checkpoint", report["missing_keys"])
    check_tokenizer_size(tokenizer, encoder.config.vocab_size)
    return tokenizer, encoder.requires_grad_(False)


def load_separator(checkpoint: Path) -> Any:
    """Return the Demucs model that is stored in a safetensors file.

    Demucs would create an instance of any class that the file names. This function therefore raises
    PluginError if the file names a class other than SEPARATOR_CLASS.
    """
    with safe_open(checkpoint, framework="pt") as file:
        metadata = file.metadata() or {}
    if metadata.get("klass") != SEPARATOR_CLASS or "structure" in metadata:
        raise PluginError(
            f"{checkpoint} is not a {SEPARATOR_CLASS} checkpoint. Delete the file and run "
            "`mirpipe models pull` again"
        )
    return BagOfModels([demucs.hf.load_safetensors_model(checkpoint)]).eval().requires_grad_(False)
