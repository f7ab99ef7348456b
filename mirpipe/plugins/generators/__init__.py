"""Generators of music: one file per generator. The registry finds them."""
