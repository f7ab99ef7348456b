"""MusiCNN (MagnaTagATune): the 200 numbers from which it predicts instruments, styles and voices.

The weights come from the source package `musicnn` 0.1.0; `tools/make_musicnn_onnx.py` converts
them. The spectrogram is computed as in that package, but in float32, because float16 overflows. It
consists of squared magnitudes of 512-sample frames, one every 256 samples at 16 kHz, in 96 mel
bands, scaled as log10(10000 x + 1). A window is one patch of 187 frames.

A shorter segment is repeated until it fills the window, as during the model's training. The cosine
similarity between a repeated 1.5 s segment and the full window that starts with this segment is
0.94. Padding with silence instead lowers it to 0.76.

The level matters: the mean cosine similarity between a track and a copy that is 20 dB quieter is
0.67. Each track is therefore set to a level of -16 dBFS. At this level, the demo library's
spectrograms have mean 1.56 and variance 1.71, close to the values 1.59 and 1.75 that the model's
input layer stored during training. Levels from -35 to -6 dBFS were compared, and -16 dBFS gave the
best matches within noise: P@1 is 0.61 by genre (0.56 to 0.61 over all levels) and 0.50 by work
(0.39 to 0.50). ADR 24 compares this with other levels and with other rules for the last window.

MIRPIPE_COMPUTE_DTYPE=int8 computes the convolutions in 8 bits, which is another revision (ADR 53).
"""

import json
from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, Needs, Runtime

SPEC = EncoderSpec(
    name="musicnn",
    version=1,
    checkpoint="musicnn_mtt.onnx",
    checkpoint_sha256="2b8f740f2fb15ebf4107e7aa4ff70cca832c8df08511202a1aeb87ff4bf9bc64",
    sample_rate=16_000,
    window_samples=47_616,
    dimension=200,
    gain_dbfs=-16.0,
    licence_code="ISC",
    licence_weights="ISC",
    citation="J. Pons, X. Serra: musicnn: Pre-trained convolutional neural networks for music "
    "audio tagging. ISMIR 2019, late-breaking. arXiv:1909.06654",
)

NEEDS = Needs(libraries=(), weights=(), compute_dtypes=("float32", "int8"))

FFT_SAMPLES = 512
HOP_SAMPLES = 256
MEL_BANDS = 96
FRAMES = SPEC.window_samples // HOP_SAMPLES + 1


class Plugin:
    """The model, which runs on one thread. To use more cores, run more processes."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        import onnxruntime

        self._is_int8 = runtime is not None and runtime.compute_dtype == "int8"
        model = "musicnn_mtt_int8.onnx" if self._is_int8 else SPEC.checkpoint
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        weights = files("mirpipe.plugins.encoders").joinpath("weights", model).read_bytes()
        self._session = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._metadata = self._session.get_modelmeta().custom_metadata_map
        self._mel = mel_filters()

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the penultimate layer for each segment: shape (len(segments), 200), float32."""
        return self._run("penultimate", SPEC.dimension, segments)

    def tags(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return the probabilities of `tag_names` for each segment: shape (len(segments), 50)."""
        return self._run("tags", len(self.tag_names), segments)

    @property
    def tag_names(self) -> list[str]:
        """The 50 MagnaTagATune tags that the model predicts."""
        names: list[str] = json.loads(self._metadata["tags"])
        return names

    def _run(self, output: str, width: int, segments: Sequence[AudioSegment]) -> Float32:
        rows = np.empty((len(segments), width), dtype=np.float32)
        inputs = Int8Windows(float(self._metadata["padding"])) if self._is_int8 else _unchanged
        for row, segment in zip(rows, segments, strict=True):
            # The model runs on one patch per call: in a batch, each patch takes four times as long,
            # because of memory use.
            patch = log_mel(segment.samples, self._mel)
            row[:] = self._session.run([output], inputs(patch))[0][0]
        return rows


def log_mel(samples: Float32, mel: Float32) -> Float32:
    """Return the log-mel spectrogram of one segment: a patch of shape (187, 96), float32."""
    padded = np.pad(np.resize(samples, SPEC.window_samples), FFT_SAMPLES // 2)
    hann = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)
    frames = sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES] * hann
    power = np.abs(np.fft.rfft(frames)) ** 2
    # einsum is used because it avoids BLAS, whose threads keep cores busy while they wait for work.
    patch: Float32 = np.log10(10_000 * np.einsum("tf,mf->tm", power, mel) + 1)
    return patch


def _unchanged(patch: Float32) -> dict[str, np.ndarray]:
    return {"logmel": patch[np.newaxis]}


class Int8Windows:
    """Turns patches into inputs of the 8-bit model: windows over mel bands and frames, in uint8.

    `tools/make_musicnn_int8.py` explains the windows. All patches are written to the same memory,
    because the first use of new memory takes longer than the copies.
    """

    def __init__(self, padding: float) -> None:
        self._padding = padding
        """Value around the patch."""
        self._steps = np.empty((FRAMES + 127, MEL_BANDS), np.uint8)
        self._bands = {
            bands: np.empty((FRAMES, MEL_BANDS - bands + 1, bands * 7), np.uint8)
            for bands in (38, 67)
        }
        self._frames = {
            frames: np.empty((FRAMES, MEL_BANDS, frames), np.uint8) for frames in (128, 64, 32)
        }

    def __call__(self, patch: Float32) -> dict[str, np.ndarray]:
        """Return the inputs of the model for a patch. They are valid until the next call."""
        scale = np.float32(max(float(patch.max()), self._padding) / 255)
        zero_point = np.array(round(self._padding / float(scale)), np.uint8)
        self._steps[:] = zero_point
        self._steps[63 : 63 + FRAMES] = np.rint(patch / scale)
        of_7_frames = sliding_window_view(self._steps[60:-61], 7, axis=0).reshape(FRAMES, -1)
        for bands, windows in self._bands.items():
            windows[:] = sliding_window_view(of_7_frames, bands * 7, axis=1)[:, ::7]
        by_band = self._steps.T.copy()
        for frames, windows in self._frames.items():
            first = 64 - frames // 2
            around = by_band[:, first : first + FRAMES + frames - 1]
            windows[:] = sliding_window_view(around, frames, axis=1).swapaxes(0, 1)
        return (
            {"scale": np.array([scale]), "zero_point": zero_point}
            | {f"bands_{bands}": windows for bands, windows in self._bands.items()}
            | {f"frames_{frames}": windows for frames, windows in self._frames.items()}
        )


def mel_filters() -> Float32:
    """Return the mel filter weights: shape (96, 257), equal to `librosa.filters.mel`.

    The filters are triangles of equal area on Slaney's mel scale, which is linear below 1 kHz and
    logarithmic above it. librosa is not used, because importing it takes longer than embedding a
    song.
    """
    bins = np.arange(FFT_SAMPLES // 2 + 1) * (SPEC.sample_rate / FFT_SAMPLES)
    top = 15 + 27 * np.log(SPEC.sample_rate / 2 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, MEL_BANDS + 2)[:, np.newaxis]
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.maximum(
        0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    )
    filters: Float32 = (triangles * 2 / (high - low)).astype(np.float32)
    return filters
