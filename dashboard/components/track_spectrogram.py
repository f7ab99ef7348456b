"""The spectrogram of a track's file, or the reason why there is none."""

from dashboard.components import markup
from dashboard.components.spectrogram_picture import spectrogram_picture
from dashboard.data.spectrograms import spectrogram
from mirpipe.db import queries
from mirpipe.errors import MirpipeError
from mirpipe.files.addresses import S3Address

MAX_DOWNLOADED_BYTES = 32 * 2**20
"""Size of the largest object that is downloaded for a picture."""


def draw_spectrogram(file: queries.FileLocation, *, name: str) -> None:
    """Draw the spectrogram. `name` is the track's name for screen readers."""
    if isinstance(file.path, S3Address) and file.size > MAX_DOWNLOADED_BYTES:
        limit = f"{MAX_DOWNLOADED_BYTES // 2**20} MB"
        markup.show(
            markup.remark(f"No spectrogram: objects over {limit} are not downloaded for a picture.")
        )
        return
    try:
        picture = spectrogram_picture(spectrogram(file.path, file.etag), name=name)
    except (FileNotFoundError, MirpipeError) as error:
        markup.show(markup.remark(f"No spectrogram: {error}"))
        return
    markup.show(picture)
