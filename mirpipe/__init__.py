"""mirpipe re-evaluates a growing music library on a schedule."""

__version__ = "0.1.0"
