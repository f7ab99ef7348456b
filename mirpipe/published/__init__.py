"""The published tables: an earlier evaluation as printed, recomputed, and told apart from ours."""
