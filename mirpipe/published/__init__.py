"""The published tables of an earlier evaluation, stored and recomputed next to our own results."""
