"""Metrics of pairs: melody accuracy and its corrections, aligned melody, and CLAP similarities."""
