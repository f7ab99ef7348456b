"""Captioners, one per file. The registry discovers them."""
