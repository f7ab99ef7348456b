"""Reads ffmpeg's messages: the declared length, errors, and gaps in the audio."""

import re
import threading
from collections import deque
from typing import IO

_MAX_LINES = 250
_DURATION = re.compile(r"^\[info\]\s+Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
_STREAM = re.compile(r"^\[info\]\s+Stream #0:\d+.*$", re.MULTILINE)
_ERROR = re.compile(r"\[(?:error|fatal)\]|corrupt input packet|corrupt decoded frame")
# The muxer of the samples reports timestamps, which are not used.
_HARMLESS = re.compile(r"to muxer in stream|Application provided invalid")
_FRAME = re.compile(r"pts_time:(\S+).* rate:(\d+) nb_samples:(\d+)")
_SHORTEST_GAP_SECONDS = 0.001


class MessageReader:
    """Collects a process's messages in a thread, so that the process never waits for a reader.

    Only the first and the last messages are kept, so that a damaged file cannot fill the memory.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_MAX_LINES)
        self._thread = threading.Thread(target=self._collect, args=(stream,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return the messages, after the process has ended."""
        self._thread.join()
        return "\n".join([*self._first, *self._last])

    def _collect(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                lines = self._first if len(self._first) < _MAX_LINES else self._last
                lines.append(line.decode(errors="replace").rstrip())


def errors(messages: str) -> list[str]:
    """Return the lines that report an error in the input."""
    return [
        line for line in messages.splitlines() if _ERROR.search(line) and not _HARMLESS.search(line)
    ]


def declared_seconds(messages: str) -> float | None:
    """Return the length of the file's longest stream, in seconds, as the container declares it.

    The result is None if the container declares no length, or if ffmpeg only estimates it.
    """
    found = _DURATION.search(_about_input(messages))
    if found is None or is_length_estimated(messages):
        return None
    return 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3])


def is_length_estimated(messages: str) -> bool:
    """Return whether ffmpeg found no declared length, and estimated it from the bit rate."""
    return "Estimating duration from bitrate" in messages


def has_one_stream(messages: str) -> bool:
    """Return whether the file has a single stream, not counting pictures of the cover."""
    streams = _STREAM.findall(_about_input(messages))
    return len([line for line in streams if "(attached pic)" not in line]) == 1


def _about_input(messages: str) -> str:
    return messages.partition("Stream mapping:")[0]


def find_gaps(lines: IO[bytes]) -> tuple[list[tuple[float, float]], bool]:
    """Return the gaps in the decoded audio, and whether ffmpeg reported an error after the last
    frame.

    `lines` are ffmpeg's messages with those of its filter `ashowinfo`, in their order. A gap has a
    position and a duration, in seconds. Gaps without an error before them do not count, because
    the timestamps of intact files can also have gaps.
    """
    gaps: list[tuple[float, float]] = []
    expected, has_error = None, False
    for line in lines:
        text = line.decode(errors="replace")
        frame = _FRAME.search(text) if "ashowinfo" in text else None
        if frame is None:
            has_error = has_error or bool(errors(text))
            continue
        start = float(frame[1])
        if expected is not None and has_error and start - expected > _SHORTEST_GAP_SECONDS:
            gaps.append((expected, start - expected))
            has_error = False
        expected = start + int(frame[3]) / int(frame[2])
    return gaps, has_error
