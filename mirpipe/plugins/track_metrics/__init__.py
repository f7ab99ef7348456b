"""Models that score tracks: one file each, found by the registry."""
