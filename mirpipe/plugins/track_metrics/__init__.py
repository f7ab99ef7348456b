"""Models that score tracks: one file per model. The registry finds them."""
