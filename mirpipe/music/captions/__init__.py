"""Finds the claims in captions, and the claims that contradict the measurements."""
