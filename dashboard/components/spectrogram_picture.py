"""The spectrogram of a track as an image with labelled axes."""

import base64
import math

from markupsafe import Markup

from dashboard.components.waveform_and_chroma import png
from mirpipe.records import Spectrogram

FREQUENCIES_HZ = (100, 1_000, 10_000)
"""Frequencies with a label at the vertical axis."""


def spectrogram_picture(spectrogram: Spectrogram, *, name: str) -> Markup:
    """Return the image with its axes. `name` is the track's name for screen readers."""
    image = base64.b64encode(png(spectrogram.levels[::-1])).decode()
    octaves = math.log(spectrogram.highest_hz / spectrogram.lowest_hz)
    labels = Markup("").join(
        Markup("<span style='bottom: {:.1f}%'>{}</span>").format(
            100 * math.log(hertz / spectrogram.lowest_hz) / octaves, _frequency(hertz)
        )
        for hertz in FREQUENCIES_HZ
        if hertz < spectrogram.highest_hz
    )
    end = f"{spectrogram.seconds:.0f} s"
    return Markup(
        "<figure class='mp-spectrogram'><div class='mp-frequencies'>{}</div>"
        "<img alt='Spectrogram of {}: frequency over time' src='data:image/png;base64,{}'>"
        "<div class='mp-times'><span>0 s</span><span>time</span><span>{}</span></div>"
        "<figcaption>Spectrogram: frequency (logarithmic) over time. The strongest colour is the "
        "highest level, and no colour is 60 dB below it.</figcaption></figure>"
    ).format(labels, name, image, end)


def _frequency(hertz: int) -> str:
    return f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
