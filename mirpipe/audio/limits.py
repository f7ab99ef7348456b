"""Limits on the channels, sample rate, size and duration of an audio file."""

from mirpipe.errors import RejectedInput

MAX_BYTES = 16 * 2**30
MAX_SECONDS = 24 * 3600.0
MIN_SECONDS = 1.0
MAX_CHANNELS = 64
MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 768_000


def require_supported_format(sample_rate: int, channels: int, name: str) -> None:
    """Raise RejectedInput if the sample rate or the number of channels is out of range.

    The reason is absurd_header. `name` is the file's printable path.
    """
    remedy = "The header is probably damaged: copy or convert the file again."
    if not 1 <= channels <= MAX_CHANNELS:
        raise RejectedInput(
            "absurd_header",
            f"The header of {name} declares {channels:,} channels, but only 1 to {MAX_CHANNELS} "
            f"are supported. {remedy}",
        )
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise RejectedInput(
            "absurd_header",
            f"The header of {name} declares a sample rate of {sample_rate:,} Hz, but only "
            f"{MIN_SAMPLE_RATE:,} to {MAX_SAMPLE_RATE:,} Hz are supported. {remedy}",
        )
