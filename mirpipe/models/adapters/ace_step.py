"""Runs ACE-Step 1.5, loaded by diffusers, on one request at a time and with exact clip lengths.

This module creates the noise, because diffusers 0.42 rounds wrongly: for one length in sixteen,
such as 1.1 s, it creates noise for one frame more than the clip has, and fails. The noise is
created on the CPU, so it is the same on every device. For conditioning audio, the codec adds noise
from torch's own generator, which has the request's seed.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers.pipelines.ace_step import (
    AceStepAudioTokenDetokenizer,
    AceStepAudioTokenizer,
    AceStepConditionEncoder,
)

from mirpipe.models.adapters.hub_model_loader import quiet
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.seeded_generation import generate_one_by_one
from mirpipe.models.adapters.tokenizer_check import check_tokenizer_size
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Runtime

NO_VOCALS = {"lyrics": "[Instrumental]", "vocal_language": "unknown"}
"""The inputs that the authors recommend for music without vocals."""

PARTS = {
    "vae": diffusers.AutoencoderOobleck,
    "transformer": diffusers.AceStepTransformer1DModel,
    "condition_encoder": AceStepConditionEncoder,
    "audio_tokenizer": AceStepAudioTokenizer,
    "audio_token_detokenizer": AceStepAudioTokenDetokenizer,
}
"""For each folder of the checkpoint with a model of diffusers, the class of the model."""


class AceStep:
    """The model loaded from one checkpoint."""

    def __init__(self, runtime: Runtime, spec: GeneratorSpec) -> None:
        """Load the model. Raises PluginError if weights are missing."""
        self.device = choose_device(runtime.device)
        self._spec = spec
        files = {file.filename: path for file, path in runtime.files.items()}
        with weight_folder(files) as folder:
            self._pipeline = load_pipeline(folder, getattr(torch, runtime.compute_dtype))
        self._pipeline.to(self.device)

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one clip per request, in order, as `generate_one_by_one` does."""
        return generate_one_by_one(requests, self._generate, self._spec)

    def _generate(self, request: GenerationRequest) -> Any:
        """Return the mean of both channels, with whole frames."""
        frames = math.ceil(request.seconds * self._pipeline.latents_per_second)
        clip = self._pipeline(
            prompt=request.prompt,
            audio_duration=request.seconds,
            guidance_scale=request.mode.guidance,
            latents=self._noise(frames, request.seed),
            **self._audio(frames, request),
            **NO_VOCALS,
            **self._spec.sampling,
        ).audios[0]
        return clip.mean(0)

    def _noise(self, frames: int, seed: int) -> Any:
        model = self._pipeline.transformer
        shape = 1, frames, model.config.audio_acoustic_hidden_dim
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator, dtype=model.dtype)

    def _audio(self, frames: int, request: GenerationRequest) -> dict[str, Any]:
        """Return the task and the conditioning audio, cut or repeated to the clip's length."""
        if not request.mode.is_conditioned or request.conditioning is None:
            return {}
        length = frames * self._pipeline.vae.hop_length
        samples = np.resize(request.conditioning.samples, length)
        return {"task_type": "cover", "src_audio": torch.from_numpy(samples).expand(2, -1)}


def load_pipeline(folder: Path, dtype: Any) -> Any:
    """Return the model, in evaluation mode, on the CPU, loaded from this folder only.

    Raises PluginError if weights are missing, because the libraries would leave them random.
    """
    options = {
        "local_files_only": True,
        "use_safetensors": True,
        "dtype": dtype,
        "output_loading_info": True,
    }
    parts: dict[str, Any] = {}
    reports: dict[str, Any] = {}
    with errors_only(), quiet():
        for name, part in PARTS.items():
            # The library's way to load with less memory would need the package accelerate.
            parts[name], reports[name] = part.from_pretrained(
                folder / name, low_cpu_mem_usage=False, **options
            )
        parts["text_encoder"], reports["text_encoder"] = transformers.Qwen3Model.from_pretrained(
            folder / "text_encoder", **options
        )
    missing = [f"{name}.{key}" for name in reports for key in reports[name]["missing_keys"]]
    refuse_missing_weights("The ACE-Step checkpoint", missing)
    for model in parts.values():
        model.eval().requires_grad_(False)
    tokenizer = transformers.Qwen2TokenizerFast.from_pretrained(
        folder / "tokenizer", local_files_only=True
    )
    check_tokenizer_size(tokenizer, parts["text_encoder"].config.vocab_size)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(
        folder / "scheduler", local_files_only=True
    )
    pipeline = diffusers.AceStepPipeline(tokenizer=tokenizer, scheduler=scheduler, **parts)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
