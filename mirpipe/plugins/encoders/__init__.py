"""Encoders, one per file. The registry discovers them."""
