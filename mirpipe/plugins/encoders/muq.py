"""MuQ, trained on the Million Song Dataset: the mean of its last hidden states, 1024 numbers.

The package `muq` runs on ten-second windows. A shorter segment is repeated until it fills the
window, so that every vector is the mean of the same number of states, and even a segment that is
too short for one state has a vector. MuQ's authors do not define a pooling method; this project
uses the mean.

The model's spectrogram is in decibels, so a change of level shifts all spectrogram values. The
paper does not define a level. Each track is therefore set to -14 dBFS, about the level of mastered
music, so that its mastering loudness has no influence.
"""

from collections.abc import Sequence

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

REPOSITORY, COMMIT = "OpenMuQ/MuQ-large-msd-iter", "0562a57814f6f8bbd9fdea0a25921a2fce1a841a"
CONFIG = WeightFile(
    REPOSITORY,
    COMMIT,
    "config.json",
    megabytes=1,
    sha256="237335ee27d8fb951ce778701a12a79e06c51ae636dd786f97e45f51ce532543",
)
CHECKPOINT = WeightFile(
    REPOSITORY,
    COMMIT,
    "model.safetensors",
    megabytes=1334,
    sha256="273febab2be02872c37d2c37e48a9d6c52c1c9392f3eeeabd498efa281ccb7a6",
)
NEEDS = Needs(("muq", "torch", "transformers"), weights=(CONFIG, CHECKPOINT))

SPEC = EncoderSpec(
    name="muq",
    version=1,
    checkpoint="MuQ-large-msd-iter",
    checkpoint_sha256=CHECKPOINT.sha256 or "",
    sample_rate=24_000,
    window_samples=240_000,
    dimension=1024,
    gain_dbfs=-14.0,
    licence_code="MIT",
    licence_weights="CC-BY-NC-4.0",
    citation="H. Zhu, Y. Zhou, H. Chen, J. Yu, Z. Ma, R. Gu, Y. Luo, W. Tan, X. Chen: MuQ: "
    "Self-supervised music representation learning with mel residual vector quantization. 2025. "
    "arXiv:2501.01108",
)


class Plugin:
    """The model, without the parts that are needed only for training."""

    rows_are_independent = True

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.muq import Muq

        self._model = Muq(
            runtime,
            config=runtime.files[CONFIG],
            checkpoint=runtime.files[CHECKPOINT],
            dimension=SPEC.dimension,
        )
        self.device = self._model.device

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the mean of each segment's last hidden states: shape (len(segments), 1024)."""
        return self._model.embed(segments)
