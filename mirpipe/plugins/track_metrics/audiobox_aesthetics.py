"""Audiobox Aesthetics: a prediction of how people would rate a track, on four axes from 1 to 10.

The axes are content enjoyment (CE), content usefulness (CU), production complexity (PC) and
production quality (PQ). As in the package `audiobox-aesthetics`, a track is split into ten-second
windows at 16 kHz, without overlap. The last window is padded with zeros, even if it is very short,
and the padding is masked. A track's score is the mean over its windows, weighted by their lengths.

The model is a regression model, so a score can be slightly below 1 or above 10. Such scores are
kept unchanged. No gain is applied, because the raters heard the music at its original level. The
authors' program resamples with torchaudio, whereas this project uses soxr.
"""

from collections.abc import Sequence

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Needs, Runtime, TrackMetricSpec, WeightFile

REPOSITORY = "facebook/audiobox-aesthetics"
COMMIT = "9b1dd8e5df9af7216e836a98974fe3b82c56ded6"
CONFIG = WeightFile(
    REPOSITORY,
    COMMIT,
    "config.json",
    megabytes=1,
    sha256="0b8eabc5ced92cefed116a3aca8f1e59d2a33dc4d376b9e86dfb9c072e1d280d",
)
CHECKPOINT = WeightFile(
    REPOSITORY,
    COMMIT,
    "model.safetensors",
    megabytes=415,
    sha256="a5a3c2412649cc2384ec525ffd5180ce6c4778f43bed6108e0a1303de04d014e",
)
NEEDS = Needs(("audiobox_aesthetics", "torch", "torchaudio"), weights=(CONFIG, CHECKPOINT))

SPEC = TrackMetricSpec(
    name="audiobox_aesthetics",
    version=1,
    checkpoint="audiobox-aesthetics",
    checkpoint_sha256=CHECKPOINT.sha256 or "",
    sample_rate=16_000,
    window_samples=160_000,
    axes=("aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"),
    low=1.0,
    high=10.0,
    unit="points",
    licence_code="CC-BY-4.0",
    licence_weights="CC-BY-4.0",
    citation="A. Tjandra, Y.-C. Wu, B. Guo, J. Hoffman, B. Ellis, A. Vyas, B. Shi, S. Chen, M. Le, "
    "N. Zacharov, C. Wood, A. Lee, W.-N. Hsu: Meta Audiobox Aesthetics: Unified automatic quality "
    "assessment for speech, music, and sound. 2025. arXiv:2502.05139",
)


class Plugin:
    """The model that predicts all four axes."""

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.audiobox_aesthetics import AudioboxAesthetics

        self._model = AudioboxAesthetics(
            runtime, config=runtime.files[CONFIG], checkpoint=runtime.files[CHECKPOINT]
        )
        self.device = self._model.device

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment, in the order of SPEC.axes: shape (len(segments), 4)."""
        return self._model.score(segments)
