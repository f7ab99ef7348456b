"""Says whether a file's codec is lossless, so that every decoder returns the same samples."""

import os
import shutil
import subprocess
from pathlib import Path

import soundfile

from mirpipe.audio.ffmpeg import safe_input
from mirpipe.audio.regular_files import open_regular_file
from mirpipe.files.printable_path import AnyPath

_LIBSNDFILE_SUBTYPES = (
    *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"),
)
_FFMPEG_CODECS = (
    *("flac", "alac", "wavpack", "tta", "ape", "tak", "shorten", "mlp", "truehd", "mp4als"),
    "wmalossless",
)


def is_lossless(path: AnyPath) -> bool:
    """Return whether the file's first audio stream is lossless. Only the headers are read.

    The result is False if the codec is not known. Raises RejectedInput if the file cannot be
    opened.
    """
    codec = codec_name(path)
    return codec in (*_LIBSNDFILE_SUBTYPES, *_FFMPEG_CODECS) or codec.startswith("pcm_")


def codec_name(path: AnyPath) -> str:
    """Return libsndfile's or ffmpeg's name of the file's codec, or "" if neither knows it.

    Raises RejectedInput if the file cannot be opened.
    """
    with open_regular_file(path) as descriptor:
        try:
            with soundfile.SoundFile(os.dup(descriptor), closefd=True) as sound:
                return str(sound.subtype)
        except soundfile.LibsndfileError:
            return _name_by_ffprobe(path)


def _name_by_ffprobe(path: AnyPath) -> str:
    program = shutil.which("ffprobe")
    if program is None:
        return ""
    wanted = ["-select_streams", "a:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    process = subprocess.run(
        [program, "-v", "error", *wanted, *safe_input(Path(os.fsdecode(path)))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = process.stdout.splitlines()
    return lines[0].strip(", ") if lines else ""
