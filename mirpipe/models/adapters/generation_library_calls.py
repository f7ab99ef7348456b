"""Calls the libraries of generators and captioners as their documentation shows.

The device, the number format and the sampling parameters are those of the plug-in, because a clip
or a caption can change completely after a rounding error.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers

from mirpipe.models.adapters import audiocraft, qwen2_audio
from mirpipe.models.adapters.audiocraft_patches import stub_attention
from mirpipe.models.adapters.hub_model_loader import quiet
from mirpipe.models.adapters.musicgen_melody import load_processor
from mirpipe.models.adapters.torch_device import choose_device
from mirpipe.models.adapters.transformers_output import errors_only
from mirpipe.models.adapters.weight_folder import weight_folder
from mirpipe.records import AudioSegment, Float32, GenerationRequest
from mirpipe.specs import CaptionerSpec, GeneratorSpec, Runtime

RunGenerator = Callable[[GenerationRequest], Float32]
RunCaptioner = Callable[[AudioSegment], str]


def load_generator(runtime: Runtime, spec: GeneratorSpec) -> RunGenerator:
    """Load a generator's library. Return a function from a request to a mono clip."""
    return _GENERATORS[spec.name](runtime, spec)


def load_captioner(runtime: Runtime, spec: CaptionerSpec, *, max_new_tokens: int) -> RunCaptioner:
    """Load the library of Qwen2-Audio. Return a function from a segment to a caption."""
    device = choose_device(runtime.device)
    with weight_folder(_paths(runtime)) as folder:
        processor = qwen2_audio.load_processor(folder)
        model = qwen2_audio.load_model(folder, runtime.compute_dtype, device)

    def run(segment: AudioSegment) -> str:
        audio = {"type": "audio", "audio_url": "segment"}
        instruction = {"type": "text", "text": spec.instruction}
        conversation = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": [audio, instruction]},
        ]
        text = processor.apply_chat_template(
            conversation, add_generation_prompt=True, tokenize=False
        )
        inputs = processor(
            text=text,
            audio=[segment.samples],
            sampling_rate=segment.sample_rate,
            return_tensors="pt",
            padding=True,
        ).to(device, model.dtype)
        tokens = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
        [caption] = processor.batch_decode(
            tokens[:, inputs["input_ids"].shape[1] :],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=False,
        )
        return " ".join(str(caption).split())

    return run


def _musicgen_melody(runtime: Runtime, spec: GeneratorSpec) -> RunGenerator:
    device = choose_device(runtime.device)
    with weight_folder(_paths(runtime)) as folder, errors_only():
        processor = load_processor(folder)
        model = transformers.MusicgenMelodyForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, dtype=getattr(torch, runtime.compute_dtype)
        ).to(device)

    def run(request: GenerationRequest) -> Float32:
        melody = request.conditioning
        audio: dict[str, Any] = {}
        if melody is not None:
            audio = {"audio": melody.samples, "sampling_rate": melody.sample_rate}
        inputs = processor(text=[request.prompt], padding=True, return_tensors="pt", **audio)
        frames = math.ceil(request.seconds * model.config.audio_encoder.frame_rate)
        transformers.set_seed(request.seed)
        clips = model.generate(
            **inputs.to(device),
            guidance_scale=request.mode.guidance,
            max_new_tokens=frames + model.decoder.num_codebooks - 1,
            **spec.sampling,
        )
        return _samples(clips[0, 0], request, spec)

    return run


def _audiocraft(runtime: Runtime, spec: GeneratorSpec) -> RunGenerator:
    paths = _paths(runtime)
    language_model, codec = paths.pop("state_dict.bin"), paths.pop("compression_state_dict.bin")
    text_encoder = {
        name: paths.pop(name) for name in ("config.json", "tokenizer.json", "model.safetensors")
    }
    [separator] = paths.values()
    model = audiocraft.Audiocraft(
        runtime,
        spec,
        language_model=language_model,
        codec=codec,
        text_encoder=text_encoder,
        separator=separator,
    ).library

    def run(request: GenerationRequest) -> Float32:
        # The library rounds the number of frames down.
        duration = (math.ceil(request.seconds * model.frame_rate) + 0.5) / model.frame_rate
        model.set_generation_params(
            duration=duration, cfg_coef=request.mode.guidance, **spec.sampling
        )
        transformers.set_seed(request.seed)
        with stub_attention():
            if request.conditioning is None:
                clips = model.generate([request.prompt])
            else:
                melody = torch.from_numpy(request.conditioning.samples)[None]
                clips = model.generate_with_chroma(
                    [request.prompt], melody[None], request.conditioning.sample_rate
                )
        return _samples(clips[0, 0], request, spec)

    return run


def _ace_step(runtime: Runtime, spec: GeneratorSpec) -> RunGenerator:
    diffusers.utils.logging.disable_progress_bar()
    with weight_folder(_paths(runtime)) as folder, errors_only(), quiet():
        pipeline = diffusers.AceStepPipeline.from_pretrained(
            folder,
            local_files_only=True,
            dtype=getattr(torch, runtime.compute_dtype),
            low_cpu_mem_usage=False,
        ).to(choose_device(runtime.device))
    pipeline.set_progress_bar_config(disable=True)

    def run(request: GenerationRequest) -> Float32:
        audio: dict[str, Any] = {}
        if request.conditioning is not None:
            samples = request.conditioning.samples[: round(request.seconds * spec.sample_rate)]
            audio = {"task_type": "cover", "src_audio": torch.from_numpy(np.stack([samples] * 2))}
        # The library draws the noise of the codec without this generator.
        transformers.set_seed(request.seed)
        clips = pipeline(
            prompt=request.prompt,
            lyrics="[Instrumental]",
            vocal_language="unknown",
            audio_duration=request.seconds,
            guidance_scale=request.mode.guidance,
            generator=torch.Generator().manual_seed(request.seed),
            **audio,
            **spec.sampling,
        ).audios
        return _samples(clips[0].mean(0), request, spec)

    return run


def _samples(clip: Any, request: GenerationRequest, spec: GeneratorSpec) -> Float32:
    """Return the requested length of a clip, which may be longer."""
    samples = clip.detach().float().cpu().numpy()
    clipped: Float32 = np.clip(samples[: round(request.seconds * spec.sample_rate)], -1, 1)
    return clipped


def _paths(runtime: Runtime) -> dict[str, Path]:
    return {file.filename: path for file, path in runtime.files.items()}


_GENERATORS: dict[str, Callable[[Runtime, GeneratorSpec], RunGenerator]] = {
    "ace_step": _ace_step,
    "musicgen_melody": _musicgen_melody,
    "musicgen_melody_audiocraft": _audiocraft,
}
