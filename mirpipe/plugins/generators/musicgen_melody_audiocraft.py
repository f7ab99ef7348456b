"""MusicGen-Melody, run by its authors' package audiocraft: long clips and stem separation.

The weights are the same as in `musicgen_melody`, but in the authors' own format, which takes half
the space. T5 and Demucs have separate weight files. Demucs separates the conditioning audio into
stems, and the melody is taken only from the stems `vocals` and `other`, so that drums and bass do
not disturb it. If a clip is longer than 30 s, the model continues it from its last 12 s, with the
melody.
"""

from collections.abc import Sequence

from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec, Needs, Runtime, WeightFile

REPOSITORY = "facebook/musicgen-melody"
COMMIT = "51e18546f12df76256cdf55199560a82366389fe"
LANGUAGE_MODEL = WeightFile(REPOSITORY, COMMIT, "state_dict.bin", megabytes=2770, sha256=None)
CODEC = WeightFile(REPOSITORY, COMMIT, "compression_state_dict.bin", megabytes=236, sha256=None)

_T5, _T5_COMMIT = "google-t5/t5-base", "a9723ea7f1b39c1eae772870f3b547bf6ef7e6c1"
TEXT_ENCODER = (
    WeightFile(
        _T5,
        _T5_COMMIT,
        "config.json",
        megabytes=1,
        sha256="46dd7cb62d29c81fb551e0ef1ea274c24a46ba441eeb948897706252933df033",
    ),
    WeightFile(
        _T5,
        _T5_COMMIT,
        "tokenizer.json",
        megabytes=2,
        sha256="d2acde0d8d71dd30a711834b07781b9c89feaac33fd332f60507699282740066",
    ),
    WeightFile(
        _T5,
        _T5_COMMIT,
        "model.safetensors",
        megabytes=892,
        sha256="a90903540cc02cbeb7ff9f823f1a80eb778c7e22426a0e620b01c77a5ec8f5b4",
    ),
)
SEPARATOR = WeightFile(
    "adefossez/HTDemucs",
    "bf35a81b663819a8255c8fefee17f9d812b786b5",
    "955717e8.safetensors",
    megabytes=84,
    sha256="d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd",
)
NEEDS = Needs(
    ("audiocraft", "demucs", "torch", "torchaudio", "transformers"),
    weights=(LANGUAGE_MODEL, CODEC, *TEXT_ENCODER, SEPARATOR),
)

SPEC = GeneratorSpec(
    name="musicgen_melody_audiocraft",
    version=1,
    checkpoint="facebook/musicgen-melody (audiocraft)",
    checkpoint_sha256="",
    sample_rate=32_000,
    longest_seconds=300.0,  # Limited, because the codec decodes a clip in one step.
    has_guidance=True,
    sampling={
        "use_sampling": True,
        "top_k": 250,
        "top_p": 0.0,
        "temperature": 1.0,
        "two_step_cfg": False,
        "extend_stride": 18.0,
    },
    licence_code="MIT",
    licence_weights="CC-BY-NC-4.0",
    citation="J. Copet, F. Kreuk, I. Gat, T. Remez, D. Kant, G. Synnaeve, Y. Adi, A. Défossez: "
    "Simple and controllable music generation. NeurIPS 2023. arXiv:2306.05284",
)


class Plugin:
    """The model with its text encoder, its source separator and its codec."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.audiocraft import Audiocraft

        self._model = Audiocraft(
            runtime,
            SPEC,
            language_model=runtime.files[LANGUAGE_MODEL],
            codec=runtime.files[CODEC],
            text_encoder={file.filename: runtime.files[file] for file in TEXT_ENCODER},
            separator=runtime.files[SEPARATOR],
        )
        self.device = self._model.device

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 32 kHz per request, in order.

        Each clip depends only on its own request, which includes the seed.
        """
        return self._model.generate(requests)
