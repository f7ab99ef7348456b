"""Says whether a file's codec is lossless, so that every decoder returns the same samples."""

import shutil

from mirpipe.audio import ffmpeg, hanging_programs, libsndfile
from mirpipe.audio.file_part import FilePart
from mirpipe.files.printable_path import AnyPath

_LIBSNDFILE_SUBTYPES = (
    *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"),
)
_FFMPEG_CODECS = (
    *("flac", "alac", "wavpack", "tta", "ape", "tak", "shorten", "mlp", "truehd", "mp4als"),
    "wmalossless",
)


def is_lossless(codec: str) -> bool:
    """Return whether this codec is lossless. `codec` is a result of `codec_name`."""
    return codec in (*_LIBSNDFILE_SUBTYPES, *_FFMPEG_CODECS) or codec.startswith("pcm_")


def codec_name(path: AnyPath, part: FilePart) -> str:
    """Return libsndfile's or ffmpeg's name of the codec of a part, or "" if neither knows it.

    Only the headers are read. Raises RejectedInput with the reason unreadable if ffprobe hangs.
    """
    sound = libsndfile.open_part(part)
    if sound is not None:
        with sound:
            return str(sound.subtype)
    program = shutil.which("ffprobe")
    if program is None:
        return ""
    wanted = ["-select_streams", "a:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    command = [program, "-v", "error", *wanted, *ffmpeg.input_arguments(path, part)]
    process = hanging_programs.run(command, part)
    lines = process.stdout.splitlines()
    return lines[0].strip(", ") if lines else ""
