"""Music2Latent: the mean over time of the 64 numbers from which its decoder reconstructs music.

The package `music2latent` runs on windows of exactly ten seconds. Its encoder normalises over the
complete input, so the same second of music has different latents in a longer window. For the same
reason, a shorter segment is repeated until it lasts ten seconds: padding with silence would change
how the music is normalised. The package ignores the last 27 ms of each window, which are too short
for a latent. The authors do not define a pooling method; this project uses the mean.

The latents encode the level of the music, because the decoder must reconstruct it. The paper does
not define a level. Each track is therefore set to -14 dBFS, about the level of mastered music, so
that its mastering loudness has no influence.
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

    rows_are_independent = True

    def __init__(self, runtime: Runtime) -> None:
        from mirpipe.models.adapters.music2latent import Music2Latent

        self._model = Music2Latent(runtime, runtime.files[CHECKPOINT])
        self.device = self._model.device

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the mean latent of each segment: shape (len(segments), 64), float32."""
        return self._model.embed(segments)
