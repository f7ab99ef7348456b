"""Checks models with their real weights: agreement with the library, determinism and cost."""
