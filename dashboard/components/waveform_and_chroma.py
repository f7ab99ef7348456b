"""Two pictures of a track: its waveform, and its pitch classes over time (chroma).

The pictures are PNG images in one colour on a transparent background, which suits the light and
the dark theme.
"""

import base64
from io import BytesIO

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from dashboard.components.markup import small_line
from mirpipe.db import queries

COLOUR = bytes.fromhex("2b87c4")
"""Red, green and blue values. The contrast exceeds 3 : 1 on white and on near-black backgrounds."""
WAVEFORM_HEIGHT = 48
"""Height of a waveform in pixels."""


def waveform_and_chroma(picture: queries.Picture | None, *, name: str) -> Markup:
    """Return the pictures for which there is data as HTML images.

    `name` is the track's name for screen readers. Unpitched tracks have no chroma picture.
    """
    images = Markup("")
    if picture is not None and picture.waveform is not None:
        images += _image(waveform_opacity(picture), "mp-wave", f"Waveform of {name}")
    if picture is not None and picture.voiced is False:
        images += small_line("unpitched: no pitch classes to show")
    elif picture is not None and picture.chroma is not None:
        images += _image(chroma_opacity(picture), "mp-chroma", f"Pitch classes over time of {name}")
    return images


def waveform_opacity(picture: queries.Picture) -> NDArray[np.uint8]:
    """Return the opacity, 0 or 255, of each pixel in the waveform, shape (48, stretches).

    The loudest sample reaches the full height.
    """
    assert picture.waveform is not None
    scaled = picture.waveform / max(float(np.abs(picture.waveform).max()), 1 / 127)
    middle = (WAVEFORM_HEIGHT - 1) / 2
    row = np.arange(WAVEFORM_HEIGHT)[:, None]
    top, bottom = middle - scaled[:, 1] * middle, middle - scaled[:, 0] * middle
    inside = (row >= np.floor(top)) & (row <= np.ceil(bottom))
    return np.where(inside, 255, 0).astype(np.uint8)


def chroma_opacity(picture: queries.Picture) -> NDArray[np.uint8]:
    """Return the opacity, 0 to 255, of each pitch class over time, shape (12, cells).

    The opacity is proportional to the share of frames. B is the first row, and C is the last row.
    """
    assert picture.chroma is not None
    return np.rint(picture.chroma[::-1] * 255).astype(np.uint8)


def png(opacity: NDArray[np.uint8]) -> bytes:
    """Return a one-colour PNG image in which each pixel has the given opacity.

    `opacity` has shape (height, width).
    """
    colour = np.full((*opacity.shape, 3), list(COLOUR), np.uint8)
    pixels = np.concatenate([colour, opacity[:, :, None]], axis=2)
    encoded = BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _image(opacity: NDArray[np.uint8], css_class: str, alternative_text: str) -> Markup:
    address = "data:image/png;base64," + base64.b64encode(png(opacity)).decode()
    return Markup("<img class='{}' alt='{}' src='{}'>").format(css_class, alternative_text, address)
