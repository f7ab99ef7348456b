"""Pair metrics: melody accuracy and its corrections, aligned melody, and CLAP similarities."""
