"""Captioners: one file each, found by the registry."""
