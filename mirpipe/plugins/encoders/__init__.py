"""Encoders: one file per encoder. The registry finds them."""
