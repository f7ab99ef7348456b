"""Reads audio files: decoding, facts, mono samples and windows.

All code that reads audio uses this package. Files may be damaged or hostile, so no size or length
in a header is trusted: memory is allocated only for decoded samples, and durations are computed
from the number of decoded samples.
"""

from mirpipe.audio.audio_facts import AudioFacts, read_audio_facts
from mirpipe.audio.audio_identity import AudioIdentity, identify
from mirpipe.audio.decode import AudioStream, decode
from mirpipe.audio.ffmpeg import has_ffmpeg
from mirpipe.audio.gain import gain_for_level
from mirpipe.audio.load_mono import load_mono
from mirpipe.audio.load_sounding import load_sounding
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.audio.rejected_files import unreadable_error
from mirpipe.audio.window_cutting import WindowRequest
from mirpipe.audio.windows import read_windows

__all__ = [
    "AudioFacts",
    "AudioIdentity",
    "AudioStream",
    "WindowRequest",
    "decode",
    "gain_for_level",
    "has_ffmpeg",
    "identify",
    "load_mono",
    "load_sounding",
    "open_regular_file",
    "read_audio_facts",
    "read_windows",
    "unreadable_error",
]
