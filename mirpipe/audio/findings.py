"""Turns what was measured while a track was decoded into findings."""

from collections.abc import Iterable, Iterator

from mirpipe.audio.channel_statistics import LOWEST_CORRELATION, ChannelStatistics
from mirpipe.audio.losses import Loss
from mirpipe.records import Finding, Severity, Silence

_AT_ENDS_SECONDS = 3.0
_INSIDE_SECONDS = 5.0
"""Durations of the shortest silence that is a finding."""
_DEAD_CHANNEL_DB = 60.0
_DC_OFFSET = 0.01
_LARGE_DC_OFFSET = 0.05
_LOW_LEVEL_DBFS = -50.0
_OVER_FULL_SCALE = 1.1


def loss_findings(losses: Iterable[Loss]) -> Iterator[Finding]:
    """Yield the findings about audio that could not be decoded."""
    for loss in losses:
        severity: Severity = "info" if loss.kind == "length" else "warning"
        yield Finding(loss.kind, severity, loss.seconds, loss.detail)


def silence_findings(silence: Silence, seconds: float) -> Iterator[Finding]:
    """Yield the findings about silence at the start, at the end and inside of a track.

    `seconds` is the length of the track. Silence counts in no result, but a long one can mean that
    something went wrong when the file was made (epoupon/lms#671).
    """
    for start, end in silence.parts:
        length = end - start
        detail, shortest = f"{length:.1f} s of silence begin at {start:.1f} s.", _INSIDE_SECONDS
        if start == 0 or end >= seconds:
            where, shortest = "begins" if start == 0 else "ends", _AT_ENDS_SECONDS
            detail = f"The track {where} with {length:.1f} s of silence."
        if length >= shortest:
            yield Finding("silence", "info", start, detail)


def channel_findings(statistics: ChannelStatistics, peak: float) -> Iterator[Finding]:
    """Yield the findings about single channels, the DC offset and the level."""
    yield from _opposite_channels(statistics)
    levels = statistics.channel_levels
    for channel, level in enumerate(levels if len(levels) == 2 else []):
        if level < levels.max() * 10 ** (-_DEAD_CHANNEL_DB / 20):
            detail = f"Channel {channel + 1} of 2 is silent."
            yield Finding("dead_channel", "warning", None, detail)
    dc_offset = statistics.largest_dc_offset
    if abs(dc_offset) >= _DC_OFFSET:
        severity: Severity = "warning" if abs(dc_offset) >= _LARGE_DC_OFFSET else "info"
        detail = f"The DC offset is {dc_offset:+.3f} of full scale. It is removed."
        yield Finding("dc_offset", severity, None, detail)
    if statistics.rms_dbfs < _LOW_LEVEL_DBFS:
        detail = f"The level is very low: {statistics.rms_dbfs:.0f} dBFS."
        yield Finding("level", "info", None, detail)
    if peak > _OVER_FULL_SCALE:
        detail = f"Samples exceed full scale: the peak is {peak:.1f}."
        yield Finding("level", "info", None, detail)


def _opposite_channels(statistics: ChannelStatistics) -> Iterator[Finding]:
    channel, correlation = statistics.mono_channel, statistics.correlation
    if channel is None:
        return
    what = "The channels nearly cancel each other in the mono mix."
    if correlation is not None and correlation < LOWEST_CORRELATION:
        what = f"The correlation of the channels is {correlation:.2f}, so one is inverted."
    detail = f"{what} Channel {channel + 1}, the loudest, is used alone."
    yield Finding("inverted_channel", "warning", None, detail)
