"""Plug-ins: encoders, track metrics, captioners and generators. Each has a file of its own."""
