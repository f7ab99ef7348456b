"""MusicGen-Melody, run by transformers: generates music from text, or from text and a melody.

The model has 1.5 billion parameters, including T5 and EnCodec, and generates at most 30 s. From the
conditioning audio, it uses only the strongest pitch class, eight times per second. It does not
separate stems, so the conditioning audio must not contain drums. The guidance applies to the text
and the melody together. The model needs a GPU: on two CPU threads, generation takes about 14 times
as long as the clip lasts.
"""

from collections.abc import Sequence

from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Needs, Runtime, WeightFile

REPOSITORY = "facebook/musicgen-melody"
COMMIT = "refs/pr/14"
"""Revision with the publisher's corrected conversion. The earlier conversion lacks some weights."""


def _file(filename: str, megabytes: int) -> WeightFile:
    return WeightFile(REPOSITORY, COMMIT, filename, megabytes, sha256=None)


INDEX = _file("model.safetensors.index.json", 1)
SHARDS = (
    _file("model-00001-of-00002.safetensors", 4990),
    _file("model-00002-of-00002.safetensors", 1230),
)
NEEDS = Needs(
    ("torch", "torchaudio", "transformers"),
    weights=(
        _file("config.json", 1),
        _file("generation_config.json", 1),
        _file("preprocessor_config.json", 1),
        _file("tokenizer.json", 3),
        _file("tokenizer_config.json", 1),
        INDEX,
        *SHARDS,
    ),
)

SPEC = GeneratorSpec(
    name="musicgen_melody",
    version=1,
    checkpoint="facebook/musicgen-melody (transformers)",
    checkpoint_sha256="",
    sample_rate=32_000,
    longest_seconds=30.0,
    has_guidance=True,
    sampling={"do_sample": True, "top_k": 250, "temperature": 1.0, "top_p": 1.0},
    licence_code="Apache-2.0",
    licence_weights="CC-BY-NC-4.0",
    citation="J. Copet, F. Kreuk, I. Gat, T. Remez, D. Kant, G. Synnaeve, Y. Adi, A. Défossez: "
    "Simple and controllable music generation. NeurIPS 2023. arXiv:2306.05284",
)


class Plugin:
    """The model with its text encoder and its codec."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.musicgen_melody import MusicgenMelody

        self._model = MusicgenMelody(runtime, SPEC)
        self.device = self._model.device

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 32 kHz per request, in order.

        Each clip depends only on its own request, which includes the seed.
        """
        return self._model.generate(requests)
