"""The button that plays a track, or the reason why the track cannot be played."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from markupsafe import Markup

from dashboard.components.level_matching import reduction_text, volume
from dashboard.components.markup import remark, show
from mirpipe.db import queries

SHOWN_SILENT_SHARE = 0.01
"""Smallest silent share of a track that is mentioned."""


def player(
    files: Sequence[queries.FileLocation],
    *,
    name: str,
    picture: queries.Picture | None = None,
    level: float | None = None,
    role: Literal["target", "answer"] = "answer",
    offset_seconds: float = 0.0,
    excerpts: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw a button that plays the first readable file of a track in the player of the page.

    `name` is shown in the player. `level` is the level, in dBFS, to which louder tracks are
    reduced. A viewer can switch between the target and an answer, which starts `offset_seconds`
    after the target. `excerpts` are marked in the outline: starts and ends, in seconds. The browser
    requests the audio, so the page reads no file.
    """
    if not files:
        show(remark("No file of this track was found. To play it, ingest its recording."))
        return
    readable = [file for file in files if _may_be_readable(file)]
    if not readable:
        shown = files[0].shown
        show(remark(f"The audio file is missing: {shown}. The next ingest marks it as gone."))
        return
    file = readable[0]
    button = Markup(
        "<div class='mp-play-line'><button type='button' class='mp-play' data-role='{}' "
        "data-content='{}' data-title='{}' data-seconds='{:.3f}' data-volume='{:.4f}' "
        "data-offset='{:.3f}' data-marks='{}' data-peaks='{}' aria-label='Play {}'>▶ Play</button>"
        "<span class='mp-level mp-muted'>{}</span></div>"
    )
    show(
        button.format(
            role,
            file.content_sha256,
            name,
            file.seconds or 0.0,
            1.0 if level is None else volume(file.rms_dbfs, level),
            offset_seconds,
            json.dumps([list(excerpt) for excerpt in excerpts]),
            _peaks(picture),
            name,
            "" if level is None else reduction_text(file.rms_dbfs, level),
        )
    )
    if file.silent_share >= SHOWN_SILENT_SHARE:
        show(remark(f"{file.silent_share:.0%} of this track is silent and counts in no result."))


def _peaks(picture: queries.Picture | None) -> str:
    """Return the lowest and highest samples as signed bytes in base64. Without them, a flat line.

    127 is full scale.
    """
    waveform = picture.waveform if picture is not None else None
    if waveform is None:
        waveform = np.zeros((2, 2), np.float32)
    return base64.b64encode(np.rint(waveform * 127).astype(np.int8).tobytes()).decode()


def _may_be_readable(file: queries.FileLocation) -> bool:
    """Return whether a local file can be read. Objects in S3 are not requested for this."""
    if not isinstance(file.path, Path):
        return True
    return file.path.is_file() and os.access(file.path, os.R_OK)
