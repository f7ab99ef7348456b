"""Pictures of a track beside its player, on a clear ground that suits light and dark alike."""

import base64
import struct
import zlib

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from dashboard.components.markup import small
from mirpipe.db import queries

COLOUR = bytes.fromhex("2b87c4")
"""Stands out from a white and from a near black ground by more than 3 : 1."""
WAVE_HEIGHT = 48


def pictures(picture: queries.Picture | None, *, name: str) -> Markup:
    """Outline and pitch classes, as far as they are known; empty where nothing is."""
    found = Markup("")
    if picture is not None and picture.outline is not None:
        found += _image(wave(picture), "mp-wave", f"Outline of {name}")
    if picture is not None and picture.voiced is False:
        found += small("unpitched: pitch classes would say nothing")
    elif picture is not None and picture.classes is not None:
        found += _image(strip(picture), "mp-chroma", f"Pitch classes over time of {name}")
    return found


def wave(picture: queries.Picture) -> NDArray[np.uint8]:
    """How opaque each pixel of the outline is, as loud as its loudest moment is high."""
    assert picture.outline is not None
    scaled = picture.outline / max(float(np.abs(picture.outline).max()), 1 / 127)
    middle = (WAVE_HEIGHT - 1) / 2
    row = np.arange(WAVE_HEIGHT)[:, None]
    low, high = middle - scaled[:, 1] * middle, middle - scaled[:, 0] * middle
    return np.where((row >= np.floor(low)) & (row <= np.ceil(high)), 255, 0).astype(np.uint8)


def strip(picture: queries.Picture) -> NDArray[np.uint8]:
    """How opaque each cell is: the share of a pitch class, B on top, C at the bottom."""
    assert picture.classes is not None
    return np.rint(picture.classes[::-1] * 255).astype(np.uint8)


def _image(opacity: NDArray[np.uint8], kind: str, name: str) -> Markup:
    address = "data:image/png;base64," + base64.b64encode(png(opacity)).decode()
    return Markup("<img class='{}' alt='{}' src='{}'>").format(kind, name, address)


def png(opacity: NDArray[np.uint8]) -> bytes:
    """A PNG of one colour, shape (height, width), whose pixels are as opaque as told."""
    height, width = opacity.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    lines = np.pad(opacity, ((0, 0), (1, 0)))  # each begins with its filter, none
    indexed = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", indexed),
            chunk(b"PLTE", COLOUR * 256),
            chunk(b"tRNS", bytes(range(256))),
            chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            chunk(b"IEND", b""),
        )
    )
