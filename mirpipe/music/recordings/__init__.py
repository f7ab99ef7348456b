"""Compares acoustic fingerprints, to find tracks that contain the same recording."""
