"""Captions: the claims in their text, and claims that contradict the measurements."""
