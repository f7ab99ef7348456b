"""Classical signal statistics: 178 numbers, a baseline for the learned encoders.

| from | statistics over the window's frames | numbers |
|---|---|---|
| 20 MFCC | mean, deviation, 10th and 90th percentile; deviation of steps between frames | 100 |
| 7 spectral contrasts | mean, deviation, 10th and 90th percentile | 28 |
| 12 pitch classes | mean, deviation and mean step, each sorted, so the key has no influence | 36 |
| onset strength | log mean, log deviation, four percentiles in units of the mean | 6 |
| onset strength | highest autocorrelation in 8 tempo bands, 40 to 320 BPM | 8 |

All statistics are computed from one spectrogram. All deviations are standard deviations. Each
number is standardised by its mean and deviation in the demo library (`weights/signal_demo.txt`,
which `tools/make_signal_constants.py` writes), and then limited to four deviations, so that one
nearly silent window cannot dominate a track's vector.
"""

import itertools
from collections.abc import Sequence
from importlib.resources import files

import numpy as np

from mirpipe.music.compiled_functions import use_compiled_functions
from mirpipe.records import AudioSegment, Float32, Float64
from mirpipe.specs import EncoderSpec

SPEC = EncoderSpec(
    name="signal",
    version=1,
    checkpoint="signal_demo.txt",
    checkpoint_sha256="38cf06847981e725e4e7801b292f65dd0540aa423463718d9d84c4e075bdf58b",
    sample_rate=22_050,
    window_samples=330_750,
    dimension=178,
    gain_dbfs=-20.0,
    licence_code="Apache-2.0",
    licence_weights="Apache-2.0",
    citation="G. Tzanetakis, P. Cook: Musical genre classification of audio signals. IEEE "
    "Transactions on Speech and Audio Processing 10(5), 2002; features by librosa 0.11",
)

FFT_SAMPLES = 2048
HOP_SAMPLES = 512
MFCC = 20
LARGEST_DEVIATION = 4.0
TEMPO_BANDS_BPM = np.geomspace(40, 320, 9)


class Plugin:
    """The encoder, which returns the standardised statistics."""

    def __init__(self) -> None:
        constants = files("mirpipe.plugins.encoders").joinpath("weights", SPEC.checkpoint)
        self._mean, self._deviation = np.loadtxt(constants.read_text().splitlines()).T
        self._statistics = Statistics()

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: shape (len(segments), 178), float32.

        A segment must last at least a tenth of a second.
        """
        rows = np.empty((len(segments), SPEC.dimension), dtype=np.float32)
        for row, segment in zip(rows, segments, strict=True):
            standard = (self._statistics(segment.samples) - self._mean) / self._deviation
            row[:] = standard.clip(-LARGEST_DEVIATION, LARGEST_DEVIATION)
        return rows


class Statistics:
    """Computes the 178 statistics of a segment with librosa, before standardisation."""

    def __init__(self) -> None:
        import librosa
        from scipy.sparse import csr_array

        use_compiled_functions()
        self._librosa = librosa
        self._mel = csr_array(librosa.filters.mel(sr=SPEC.sample_rate, n_fft=FFT_SAMPLES))
        self._chroma = librosa.filters.chroma(sr=SPEC.sample_rate, n_fft=FFT_SAMPLES)

    def __call__(self, samples: Float32) -> Float64:
        """Return the statistics: shape (178,). They are finite for all finite samples."""
        librosa = self._librosa
        magnitude = np.abs(librosa.stft(samples, n_fft=FFT_SAMPLES, hop_length=HOP_SAMPLES))
        power = magnitude**2
        # Both products avoid BLAS, whose threads keep cores busy while they wait for work.
        mel = librosa.power_to_db(self._mel @ power)
        pitch_classes = np.einsum("cf,ft->ct", self._chroma, power)
        mfcc = librosa.feature.mfcc(S=mel, n_mfcc=MFCC)
        contrast = librosa.feature.spectral_contrast(S=magnitude, sr=SPEC.sample_rate)
        chroma = librosa.util.normalize(pitch_classes, norm=np.inf, axis=0)
        onsets = librosa.onset.onset_strength(S=mel, sr=SPEC.sample_rate).astype(np.float64)
        timbre = np.concatenate([mfcc, contrast]).astype(np.float64)
        return np.concatenate(
            [
                timbre.mean(axis=1),
                timbre.std(axis=1),
                np.percentile(timbre, [10, 90], axis=1).ravel(),
                np.diff(mfcc, axis=1).std(axis=1),
                *_harmony(chroma),
                _rhythm(onsets),
                _tempo(librosa.autocorrelate(onsets)),
            ]
        )


def _harmony(chroma: Float32) -> list[Float64]:
    """Return the means, deviations and mean steps of the 12 pitch classes, each list sorted."""
    steps = np.abs(np.diff(chroma, axis=1))
    return [np.sort(row) for row in (chroma.mean(axis=1), chroma.std(axis=1), steps.mean(axis=1))]


def _rhythm(onsets: Float64) -> Float64:
    """Return the log mean, the log deviation and four percentiles in units of the mean."""
    mean = onsets.mean()
    shape = np.percentile(onsets, [25, 50, 75, 95]) / (mean + 1e-9)
    return np.concatenate([np.log([mean + 1e-3, onsets.std() + 1e-3]), shape])


def _tempo(autocorrelation: Float64) -> Float64:
    """Return the highest autocorrelation in each of the 8 tempo bands."""
    lags = np.ceil(60 * SPEC.sample_rate / HOP_SAMPLES / TEMPO_BANDS_BPM).astype(int)
    strength = np.zeros(lags[0])  # A segment may be shorter than the longest lag.
    measured = autocorrelation[: len(strength)] / (autocorrelation[0] + 1e-9)
    strength[: len(measured)] = measured
    return np.array([strength[short:long].max() for long, short in itertools.pairwise(lags)])
