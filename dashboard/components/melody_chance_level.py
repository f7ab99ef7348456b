"""The melody accuracy that unrelated tracks reach by chance."""

MELODY_CHANCE_LEVEL = 0.085
"""Share of frames with the same pitch class, from `mirpipe.music.metrics.melody_accuracy`."""
