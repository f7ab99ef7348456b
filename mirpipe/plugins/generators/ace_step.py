"""ACE-Step 1.5 XL, run by diffusers: generates music from text, or from text and audio.

The model has 5 billion parameters and generates stereo audio; a clip is the mean of both channels.
Its authors intend it for 10 s to 600 s. The checkpoint is the base model, because the faster turbo
model ignores the guidance. The lyrics are `[Instrumental]`, as its authors recommend for music
without vocals. The library scales each stereo clip to a peak of −1 dBFS.

With conditioning audio, the model performs its task `cover`: it reduces the audio to five tokens
per second, and generates other audio with these tokens, which keep the melody, the harmony and the
rhythm. Its other audio input, `reference_audio`, would not keep the melody, because the model
reduces it to a single vector for the timbre. The tokens contain more of the target than the pitch
classes of MusicGen-Melody do. The guidance applies to the text, not to the tokens. The model needs
a GPU.
"""

from collections.abc import Sequence

from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Needs, Runtime, WeightFile

REPOSITORY = "ACE-Step/acestep-v15-xl-base-diffusers"
COMMIT = "main"


def _file(filename: str, megabytes: int = 1) -> WeightFile:
    return WeightFile(REPOSITORY, COMMIT, filename, megabytes, sha256=None)


def _part(name: str, megabytes: int) -> tuple[WeightFile, WeightFile]:
    """Return the configuration and the weights of a part of the model."""
    weights = _file(f"{name}/diffusion_pytorch_model.safetensors", megabytes)
    return _file(f"{name}/config.json"), weights


NEEDS = Needs(
    ("torch", "transformers", "diffusers"),
    weights=(
        _file("model_index.json"),
        _file("scheduler/scheduler_config.json"),
        _file("tokenizer/tokenizer.json", 12),
        _file("tokenizer/tokenizer_config.json"),
        _file("text_encoder/config.json"),
        _file("text_encoder/model.safetensors", 1192),
        *_part("condition_encoder", 1219),
        *_part("audio_tokenizer", 210),
        *_part("audio_token_detokenizer", 210),
        *_part("transformer", 8340),
        *_part("vae", 337),
    ),
)

SPEC = GeneratorSpec(
    name="ace_step",
    version=1,
    checkpoint="ACE-Step 1.5 XL base (diffusers)",
    checkpoint_sha256="",
    sample_rate=48_000,
    longest_seconds=600.0,
    has_guidance=True,
    sampling={"num_inference_steps": 50, "shift": 3.0, "audio_cover_strength": 1.0},
    licence_code="Apache-2.0",
    licence_weights="MIT",
    citation="J. Gong, Y. Song, W. Zhao, S. Wang, S. Xu, J. Guo: ACE-Step 1.5: Pushing the "
    "boundaries of open-source music generation. 2026. arXiv:2602.00744",
)


class Plugin:
    """The model with its text encoder and its codec."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.ace_step import AceStep

        self._model = AceStep(runtime, SPEC)
        self.device = self._model.device

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 48 kHz per request, in order.

        Each clip depends only on its own request, which includes the seed.
        """
        return self._model.generate(requests)
