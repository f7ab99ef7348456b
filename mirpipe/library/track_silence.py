"""Returns a track's silent parts, which are stored or else measured."""

from pathlib import Path

from mirpipe import audio
from mirpipe.records import Silence, Track


def silence_of(track: Track, path: Path) -> Silence:
    """Return the silent parts of a track, whose file has the local path `path`.

    A track of an older version whose silent parts are not stored yet is measured. Raises
    RejectedInput if its file cannot be used.
    """
    return track.silence or audio.read_audio_facts(path).silence
