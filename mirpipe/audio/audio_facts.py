"""Measures the length, level, peak and waveform outline of an audio file in one decoding pass."""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mirpipe.audio.audio_identity import (
    AudioIdentity,
    CodedPart,
    SampleHash,
    are_lossless,
    coded_parts,
)
from mirpipe.audio.bandwidth import Spectrum
from mirpipe.audio.channel_statistics import BLOCK_SECONDS, ChannelStatistics
from mirpipe.audio.clipping import ClippingCounter
from mirpipe.audio.decode import AudioStream, decode, decode_parts, open_parts
from mirpipe.audio.downmix import channel_weights, mono_blocks
from mirpipe.audio.findings import channel_findings, loss_findings, silence_findings
from mirpipe.audio.fingerprint import fingerprinting
from mirpipe.audio.limits import MAX_SECONDS, MIN_SECONDS
from mirpipe.audio.losses import Loss
from mirpipe.audio.rejected_files import non_finite_error, truncated_error
from mirpipe.audio.silence import SilenceMeter
from mirpipe.audio.waveform_outline import WaveformOutline
from mirpipe.errors import RejectedInput
from mirpipe.files.printable_path import AnyPath, printable_path
from mirpipe.records import AudioMeasurement, Fingerprint, Float32, MonoMix, Silence

SILENCE_DBFS = -80.0
# The peak of a float file with unscaled 16-bit integers is below this limit. The peak of samples
# that are read in the wrong byte order is above it.
MAX_PEAK = 1e5
MAX_MISSING = 0.01
"""Default of the largest accepted share of the audio that is damaged or missing."""


class MonoMeter(Protocol):
    """Something that measures mono audio while it is decoded."""

    def add(self, mono: Float32) -> None:
        """Add the track's next samples, shape (n,), with full scale at ±1."""


@dataclass(frozen=True)
class AudioFacts:
    """Facts about one audio file, measured from its samples and not read from its header."""

    seconds: float
    sample_rate: int
    channels: int
    format: str
    rms_dbfs: float
    """Level of the mono mix without its DC offset, in dB relative to full scale."""
    peak: float
    """Largest absolute sample value in any channel; full scale is 1."""
    measurement: AudioMeasurement
    """How the channels become mono, and the findings about the audio."""
    outline: bytes
    """Waveform outline of the mono mix, packed by `WaveformOutline.packed`."""
    silence: Silence
    """The silent parts of the mono mix."""
    samples: AudioIdentity | None = None
    """Identity of the audio by its samples. None if the codec is lossy."""
    fingerprint: Fingerprint | None = None
    """The fingerprint. None if it was not requested, or if libchromaprint is missing."""
    parts: tuple[CodedPart, ...] | None = None
    """The parts of the file and their codecs."""
    losses: tuple[Loss, ...] = ()
    """Audio that is damaged or missing, and contradictions about the length. They are also part of
    the findings."""

    @property
    def mix(self) -> MonoMix:
        """How the channels become mono."""
        return self.measurement.mix


def read_audio_facts(
    path: AnyPath, *, max_missing: float = MAX_MISSING, with_fingerprint: bool = False
) -> AudioFacts:
    """Decode the file and return its facts. Memory use does not grow with the file's length.

    `max_missing` is the largest accepted share of the audio that is damaged or missing.
    `with_fingerprint` also computes the fingerprint. Raises RejectedInput with one of the reasons
    of `decode`, or with damaged, too_short, too_long, silent, non_finite or absurd_level.
    """
    name = printable_path(path)
    with ExitStack() as stack:
        parts = stack.enter_context(open_parts(path))
        coded = coded_parts(path, parts)
        decoding = decode_parts(path, parts, block_seconds=BLOCK_SECONDS, verify=True)
        audio = stack.enter_context(decoding)
        print_meter = stack.enter_context(
            fingerprinting(audio.sample_rate, is_wanted=with_fingerprint)
        )
        outline, clipping = WaveformOutline(), ClippingCounter()
        spectrum = Spectrum(audio.sample_rate, audio.format)
        meter = SilenceMeter(audio.sample_rate)
        samples = SampleHash(audio.sample_rate, audio.channels) if are_lossless(coded) else None
        meters = (outline, spectrum, meter, print_meter)
        statistics, peak = _measure(audio, name, meters, clipping, samples)
        fingerprint = print_meter.fingerprint()
    seconds = statistics.frames / audio.sample_rate
    _require_complete(audio.losses, seconds, max_missing, name)
    if seconds < MIN_SECONDS:
        raise RejectedInput(
            "too_short",
            f"{name} has only {seconds:.2f} s of audio, but at least {MIN_SECONDS:g} s are "
            "required. Use a longer file.",
        )
    mix = statistics.mix
    if mix.channel is not None:  # This is rare, so the file is decoded once more.
        outline, meter = WaveformOutline(), SilenceMeter(audio.sample_rate)
        with fingerprinting(audio.sample_rate, is_wanted=with_fingerprint) as print_meter:
            _measure_channel(path, mix, name, (outline, meter, print_meter))
            fingerprint = print_meter.fingerprint()
    silence = meter.silence()
    if statistics.rms_dbfs < SILENCE_DBFS or silence is None:
        raise RejectedInput(
            "silent",
            f"{name} is silent: the level of its mono mix is below {SILENCE_DBFS:g} dB. Export "
            "it again.",
        )
    findings = (
        *loss_findings(audio.losses),
        *clipping.findings(audio.sample_rate),
        *silence_findings(silence, seconds),
        *channel_findings(statistics, peak),
        *spectrum.findings(),
    )
    return AudioFacts(
        seconds=seconds,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        format=audio.format,
        rms_dbfs=statistics.rms_dbfs,
        peak=peak,
        measurement=AudioMeasurement(mix, statistics.correlation, findings),
        outline=outline.packed(0.0 if mix.channel is not None else mix.dc_offset),
        silence=silence,
        samples=samples.identity() if samples else None,
        fingerprint=fingerprint,
        parts=coded,
        losses=tuple(audio.losses),
    )


def _require_complete(
    losses: Sequence[Loss], seconds: float, max_missing: float, name: str
) -> None:
    """Raise RejectedInput if too much audio is missing in the `seconds` that were decoded."""
    missing = sum(loss.lost_seconds for loss in losses)
    share = missing / (seconds + missing) if missing else 0.0
    if share <= max_missing:
        return
    largest = max(losses, key=lambda loss: loss.lost_seconds)
    message = (
        f"{largest.detail} In total, {100 * share:.1f}% of its audio is missing, and at most "
        f"{100 * max_missing:g}% may be (setting max_missing_percent)."
    )
    if largest.kind == "early_end":
        raise truncated_error(name, f"ends after {seconds:.1f} s. {message.removesuffix('.')}")
    raise RejectedInput("damaged", f"{name} is damaged. {message} Copy or download it again.")


def _measure(
    audio: AudioStream,
    name: str,
    meters: Sequence[MonoMeter],
    clipping: ClippingCounter,
    samples: SampleHash | None,
) -> tuple[ChannelStatistics, float]:
    """Return the statistics of the channels, and the peak.

    The mono mix is added to all `meters`, clipped samples to `clipping`, and all samples to
    `samples`.
    """
    weights = channel_weights(audio.channels, audio.channel_mask)
    statistics, peak = ChannelStatistics(audio.channels, weights), 0.0
    for block in audio.blocks:
        block_peak = float(np.abs(block).max())
        if not math.isfinite(block_peak):
            raise non_finite_error(name)
        if block_peak > MAX_PEAK:
            raise RejectedInput(
                "absurd_level",
                f"{name} has samples at {block_peak:.1e} times full scale: its sample format is "
                "probably wrong. Export it again.",
            )
        clipping.add(block, block_peak)
        mono = statistics.add(block)
        for meter in meters:
            meter.add(mono)
        if samples:
            samples.add(block)
        peak = max(peak, block_peak)
        if statistics.frames > MAX_SECONDS * audio.sample_rate:
            raise RejectedInput(
                "too_long",
                f"{name} is longer than {MAX_SECONDS / 3600:.0f} hours. Split it into shorter "
                "files.",
            )
    return statistics, peak


def _measure_channel(path: AnyPath, mix: MonoMix, name: str, meters: Sequence[MonoMeter]) -> None:
    """Add the channel that is used alone to all `meters`."""
    with decode(path) as audio:
        for mono in mono_blocks(audio, mix, name):
            for meter in meters:
                meter.add(mono)
