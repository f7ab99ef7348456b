"""Tests of the waveform and chroma pictures: their pixels, decoded from the PNG image."""

import base64
import re
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard.components.waveform_and_chroma import (
    COLOUR,
    WAVEFORM_HEIGHT,
    chroma_opacity,
    png,
    waveform_and_chroma,
    waveform_opacity,
)
from mirpipe.db.queries import Picture


def picture(*, voiced: bool = True) -> Picture:
    """Return the picture data of a track with a waveform and pitch classes."""
    rng = np.random.default_rng(0)
    peaks = np.abs(rng.normal(size=400)).astype(np.float32)
    waveform = np.stack([-peaks, peaks], axis=1) / 4
    chroma = rng.dirichlet(np.full(12, 0.3), size=120).T.astype(np.float32)
    return Picture(waveform, chroma, voiced)


def decoded(image: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a PNG image, shape (height, width, 4)."""
    return np.asarray(Image.open(BytesIO(image)).convert("RGBA"))


def test_pixels_have_one_colour_and_the_given_opacity() -> None:
    opacity = np.arange(256, dtype=np.uint8).reshape(8, 32)
    pixels = decoded(png(opacity))
    assert pixels.shape == (8, 32, 4)
    assert np.array_equal(pixels[..., 3], opacity)
    assert (pixels[..., :3] == list(COLOUR)).all()


def test_the_page_contains_the_pixels_of_both_pictures() -> None:
    track = picture()
    html = waveform_and_chroma(track, name="a <b> title")
    images = [base64.b64decode(data) for data in re.findall(r"base64,([^']+)'", html)]
    waveform, chroma = map(decoded, images)
    assert np.array_equal(waveform[..., 3], waveform_opacity(track))
    assert np.array_equal(chroma[..., 3], chroma_opacity(track))
    assert "alt='Waveform of a &lt;b&gt; title'" in html


def test_the_loudest_moment_of_a_waveform_has_the_full_height() -> None:
    track = picture()
    assert track.waveform is not None
    columns = waveform_opacity(track).astype(bool).sum(axis=0)
    assert columns.argmax() == np.abs(track.waveform).max(axis=1).argmax()
    assert columns.max() == WAVEFORM_HEIGHT


def test_an_unpitched_track_has_no_chroma_picture() -> None:
    html = waveform_and_chroma(picture(voiced=False), name="drums")
    assert html.count("<img") == 1
    assert "unpitched" in html
