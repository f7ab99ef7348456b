"""The average melody accuracy of unrelated tracks."""

MELODY_CHANCE_LEVEL = 0.085
"""Share of frames with the same pitch class, from `mirpipe.music.metrics.melody_accuracy`."""
