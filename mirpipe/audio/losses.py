"""What a decoder could not read of a file, and where."""

from dataclasses import dataclass, replace
from typing import Literal

LossKind = Literal["damage", "early_end", "length", "checksum"]


@dataclass(frozen=True)
class Loss:
    """Audio that is missing in the decoded samples, or a contradiction about the file's length."""

    kind: LossKind
    """`damage` at the start or in the middle of the file, `early_end` at its end, `length` if the
    file does not say how long it is, or two decoders disagree, `checksum` if a checksum of the
    decoded audio is wrong."""
    seconds: float | None
    """Where the loss begins, in seconds of decoded audio. None if this is unknown."""
    lost_seconds: float
    """Amount of audio that is missing, in seconds. 0 if nothing is missing or it is unknown."""
    detail: str
    """One sentence for users."""

    def shifted(self, seconds: float) -> "Loss":
        """Return the loss of a part of a file, with its position in the complete file."""
        return self if self.seconds is None else replace(self, seconds=self.seconds + seconds)


def damage(seconds: float | None, lost_seconds: float) -> Loss:
    """Return the loss of audio at the start or in the middle of a file."""
    where = "" if seconds is None else f" at {seconds:.1f} s"
    return Loss(
        "damage", seconds, lost_seconds, f"{_amount(lost_seconds)} of audio{where} is damaged."
    )


def early_end(seconds: float | None, lost_seconds: float) -> Loss:
    """Return the loss of audio at the end of a file."""
    return Loss(
        "early_end", seconds, lost_seconds, f"The file ends early by {_amount(lost_seconds)}."
    )


def incomplete_end(seconds: float | None, unit: str) -> Loss:
    """Return the loss at the end of a file that does not declare its length.

    `unit` names what the file breaks off in or before, such as `the last frame`.
    """
    detail = (
        f"{unit} is missing or incomplete, so the file ends early. Its length is not declared, so "
        "it is unknown by how much."
    )
    return Loss("early_end", seconds, 0.0, detail)


def unknown_length() -> Loss:
    """Return the finding that the file's header does not declare how long the file is."""
    detail = (
        "The header does not declare the length, because the file was written to a pipe or the "
        "recorder stopped. The file is read to its end, and it is unknown whether audio is missing."
    )
    return Loss("length", None, 0.0, detail)


def disagreement(libsndfile_seconds: float, ffmpeg_seconds: float) -> Loss:
    """Return the finding that two decoders find different lengths."""
    detail = (
        f"libsndfile finds {libsndfile_seconds:.2f} s of audio and ffmpeg {ffmpeg_seconds:.2f} s. "
        "The length that ffmpeg finds is used."
    )
    return Loss("length", None, 0.0, detail)


def wrong_checksum() -> Loss:
    """Return the finding that the MD5 checksum of a FLAC file does not match its audio."""
    detail = (
        "The MD5 checksum in the FLAC header does not match the audio. The audio was changed or is "
        "damaged."
    )
    return Loss("checksum", None, 0.0, detail)


def _amount(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
