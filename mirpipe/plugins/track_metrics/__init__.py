"""Models that score tracks, one per file. The registry discovers them."""
