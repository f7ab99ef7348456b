"""What is taken for music at all: bounds on channels, sample rate, size and length."""

from mirpipe.errors import RejectedInput

MAX_BYTES = 16 * 2**30
MAX_SECONDS = 24 * 3600.0
MIN_SECONDS = 1.0
MAX_CHANNELS = 64
MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 768_000


def check_shape(sample_rate: int, channels: int, name: str) -> None:
    """Raises RejectedInput("absurd_header") for a sample rate or channel count of no music."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise RejectedInput("absurd_header", f"{name} claims {channels:,} channels")
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise RejectedInput("absurd_header", f"{name} claims a sample rate of {sample_rate:,} Hz")
