"""Maintenance of an installation: check it, back it up, and export its results."""
