"""Runs MusicGen-Melody, loaded by transformers, on batches of requests and with exact clip lengths.

On a GPU, a batch takes hardly longer than one request. Each request has its own random numbers, and
all batches have the same shape, so a clip does not depend on the other clips of its batch (ADR 50).
The text encoder and the codec process one request at a time, because they take little time.

Before version 5.18, transformers ignored text, melody and guidance without an error. These versions
are refused.
"""

import math
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters.missing_weights import refuse_missing_weights
from mirpipe.models.adapters.musicgen_sampling import SamplingRequest, sample_codes
from mirpipe.models.adapters.seeded_generation import check_request, generate_together
from mirpipe.models.adapters.tokenizer_check import check_tokenizer_size
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Runtime

OLDEST_VERSION = (5, 18)
"""First transformers version in which MusicGen-Melody uses text, melody and guidance."""


TEXT_STEP = 64
"""Captions are padded to a multiple of this number of tokens, if requests are batched."""


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
        self.batch_size = runtime.generate_batch
        """Number of requests in each batch. A smaller batch is filled up with copies."""
        check_tokenizer_size(self._processor.tokenizer, self._model.config.text_encoder.vocab_size)

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one clip per request, in order, as `generate_one_by_one` does.

        If a batch does not fit into memory, all later batches have half the size. Raises
        OutOfMemory if a single request does not fit.
        """
        for request in requests:
            check_request(request, self._spec)
        clips: dict[int, Float32] = {}
        while len(clips) < len(requests):
            numbers = self._next_batch(requests, done=clips)
            try:
                batch = generate_together(
                    [requests[number] for number in numbers], self._generate_clips, self._spec
                )
            except OutOfMemory:
                if self.batch_size == 1:
                    raise
                self.batch_size //= 2
                continue
            clips.update(zip(numbers, batch, strict=True))
        return [clips[number] for number in range(len(requests))]

    def _next_batch(
        self, requests: Sequence[GenerationRequest], *, done: Container[int]
    ) -> list[int]:
        """Return the numbers of the first remaining requests that can share a batch."""
        remaining = [number for number in range(len(requests)) if number not in done]
        kinds = {number: self._batch_kind(requests[number]) for number in remaining}
        return [number for number in remaining if kinds[number] == kinds[remaining[0]]][
            : self.batch_size
        ]

    def _batch_kind(self, request: GenerationRequest) -> tuple[int, bool]:
        """Return what the shape of a request's batch depends on: text length and guidance."""
        tokens = len(self._processor.tokenizer(request.prompt)["input_ids"])
        return math.ceil(tokens / TEXT_STEP), (request.mode.guidance or 1) > 1

    def _generate_clips(self, requests: Sequence[GenerationRequest]) -> list[Any]:
        """Return the clips of a batch, which has at most `batch_size` requests of one kind."""
        sampling_requests = [self._sampling_request(request) for request in requests]
        width = None
        if self.batch_size > 1:
            copies = self.batch_size - len(requests)
            sampling_requests += [sampling_requests[0]] * copies
            text_steps, _ = self._batch_kind(requests[0])
            width = self._model.config.chroma_length + text_steps * TEXT_STEP
        codes = sample_codes(
            self._model.decoder, sampling_requests, sampling=self._spec.sampling, width=width
        )
        return [
            self._model.audio_encoder.decode(of_clip[None, None], audio_scales=[None])
            .audio_values[0, 0]
            .cpu()
            for of_clip in codes[: len(requests)]
        ]

    def _sampling_request(self, request: GenerationRequest) -> SamplingRequest:
        """Return the decoder's input: the melody's chroma, then the encoded text, both projected.

        The computation is the library's own (`MusicgenMelodyForConditionalGeneration.forward`).
        """
        model, inputs = self._model, self._inputs(request)
        text = model.text_encoder(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state
        if hasattr(model, "enc_to_dec_proj"):
            text = model.enc_to_dec_proj(text)
        no_melody = text.new_zeros(1, 1, model.config.num_chroma)
        no_melody[..., 0] = 1
        melodies = inputs.get("input_features", no_melody), no_melody
        melody, null_melody = (self._chroma_states(chroma) for chroma in melodies)
        return SamplingRequest(
            states=torch.cat([melody, text], dim=1)[0],
            null_states=torch.cat([null_melody, torch.zeros_like(text)], dim=1)[0],
            guidance=request.mode.guidance or 1.0,
            frames=math.ceil(request.seconds * model.config.audio_encoder.frame_rate),
            seed=request.seed,
        )

    def _chroma_states(self, chroma: Any) -> Any:
        """Return the projected chroma, repeated to the length that the model was trained with."""
        length = self._model.config.chroma_length
        if hasattr(self._model, "audio_enc_to_dec_proj"):
            chroma = self._model.audio_enc_to_dec_proj(chroma)
        return chroma.repeat(1, math.ceil(length / chroma.shape[1]), 1)[:, :length]

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
