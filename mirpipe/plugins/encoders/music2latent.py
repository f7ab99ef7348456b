"""Music2Latent: the mean over time of the 64 numbers from which its decoder rebuilds music.

The package `music2latent` itself, on windows of exactly ten seconds: the encoder's group
normalisation spans all it is given, so the same second comes out differently in a longer chunk. A
shorter segment is therefore repeated to ten seconds, which keeps it music; silence instead would shift
what everything else is normalised by. Of each window the package leaves out the last 27 ms, which
fill no latent. Its authors embed with no pooling; the mean is this project's.

The latents carry the level, as they must to rebuild it, and the paper fixes none: the level is
brought to -14 dBFS, about that of mastered music, so that it does not matter how loud a track was
mastered.
"""

from collections.abc import Sequence

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime, WeightFile

CHECKPOINT = WeightFile(
    "SonyCSLParis/music2latent", "main", "music2latent.pt", megabytes=233, sha256=None
)
NEEDS = Needs(("music2latent", "torch"), weights=(CHECKPOINT,))

SPEC = EncoderSpec(
    name="music2latent",
    version=1,
    checkpoint=CHECKPOINT.filename,
    checkpoint_sha256="",
    sample_rate=44_100,
    window_samples=441_000,
    dimension=64,
    gain_dbfs=-14.0,
    licence_code="CC-BY-NC-4.0",
    licence_weights="CC-BY-NC-4.0",
    citation="M. Pasini, S. Lattner, G. Fazekas: Music2Latent: Consistency autoencoders for latent "
    "audio compression. ISMIR 2024. arXiv:2408.06500",
)


class Plugin:
    """The encoder half of the autoencoder."""

    rows_stand_alone = True

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.music2latent import Music2Latent

        self._model = Music2Latent(runtime, runtime.files[CHECKPOINT])
        self.device = self._model.device

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """One row a segment, shape (len(segments), 64): the mean of its latents."""
        return self._model.embed(segments)
