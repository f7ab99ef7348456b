"""Errors about unusable files, shared by several modules of this package.

Each function takes the printable path of the file as `name`.
"""

from mirpipe.errors import RejectedInput


def truncated_error(name: str, what: str) -> RejectedInput:
    """Return the error for a file whose end is missing. `what` continues a sentence."""
    return RejectedInput("truncated", f"{name} {what}. It is truncated: copy or download it again.")


def not_audio_error(name: str) -> RejectedInput:
    """Return the error for a file that no decoder can open."""
    return RejectedInput(
        "not_audio",
        f"{name} is not audio in a supported format, or its beginning is damaged. Convert it to "
        "WAV or FLAC, or copy it again.",
    )


def no_sound_error(name: str) -> RejectedInput:
    """Return the error for a video or a picture without an audio stream."""
    return RejectedInput(
        "no_sound", f"{name} has no sound: it contains only video or pictures. Remove it."
    )


def needs_ffmpeg_error(name: str, why: str) -> RejectedInput:
    """Return the error for a file that only ffmpeg can decode. `why` is a reason, or empty."""
    return RejectedInput(
        "needs_ffmpeg",
        f"{name} can only be decoded with the program ffmpeg{why}. Install it (Debian: apt-get "
        "install ffmpeg) and ingest the folder again.",
    )


def unreadable_error(name: str, error: OSError) -> RejectedInput:
    """Return the error for a file whose bytes cannot be read, for example on a network drive."""
    cause = error.strerror or str(error)
    return RejectedInput(
        "unreadable",
        f"{name} cannot be read: {cause}. Check that it exists, its permissions, and its disk or "
        "network drive. A later ingest tries it again.",
    )


def mixed_formats_error(name: str, parts: int) -> RejectedInput:
    """Return the error for joined files that do not have one sample rate and channel count."""
    return RejectedInput(
        "mixed_formats",
        f"{name} consists of {parts} joined files with different sample rates or numbers of "
        "channels. Split it into these files.",
    )


def no_frames_error(name: str) -> RejectedInput:
    """Return the error for an audio file without samples."""
    return RejectedInput("no_frames", f"{name} has no samples. Copy or export it again.")


def non_finite_error(name: str) -> RejectedInput:
    """Return the error for a file with samples that are infinite or not a number."""
    return RejectedInput(
        "non_finite", f"{name} has samples that are infinite or not a number. Export it again."
    )
