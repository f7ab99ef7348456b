"""The published tables: an earlier, printed evaluation, stored and recomputed next to ours."""
