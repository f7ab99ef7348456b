"""Errors about unusable files, shared by several modules of this package.

Each function takes the printable path of the file as `name`.
"""

from mirpipe.errors import RejectedInput

TRUNCATED_REMEDY = "It is truncated: copy or download it again."


def not_audio_error(name: str, cause: str) -> RejectedInput:
    """Return the error for a file that no decoder can open."""
    return RejectedInput(
        "not_audio",
        f"{name} is not audio in a supported format ({cause}). Convert it to WAV or FLAC.",
    )


def no_frames_error(name: str) -> RejectedInput:
    """Return the error for an audio file without samples."""
    return RejectedInput("no_frames", f"{name} has no samples. Copy or export it again.")


def non_finite_error(name: str) -> RejectedInput:
    """Return the error for a file with samples that are infinite or not a number."""
    return RejectedInput(
        "non_finite", f"{name} has samples that are infinite or not a number. Export it again."
    )
