"""Generators of music: one file each, found by the registry."""
