"""Audio from files that nobody vouches for: facts, samples and windows, in flat memory.

Everything that reads audio comes through here. No header is believed for an allocation or for a
duration: what counts is what decodes.
"""

from mirpipe.audio.decode import Audio, decode
from mirpipe.audio.facts import AudioFacts, inspect
from mirpipe.audio.ffmpeg import has_ffmpeg
from mirpipe.audio.regular_files import Name, open_regular, show
from mirpipe.audio.windows import WindowRequest, load_mono, windows

__all__ = [
    "Audio",
    "AudioFacts",
    "Name",
    "WindowRequest",
    "decode",
    "has_ffmpeg",
    "inspect",
    "load_mono",
    "open_regular",
    "show",
    "windows",
]
