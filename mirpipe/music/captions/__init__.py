"""Captions: what they claim about the music, and where measurements contradict them."""
