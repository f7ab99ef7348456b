"""Captioners: one file per captioner. The registry finds them."""
