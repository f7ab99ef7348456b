"""Plug-ins: encoders, track metrics, captioners and generators, one file each."""
