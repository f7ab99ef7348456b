"""Plug-ins: encoders, track metrics, captioners and generators. Each plug-in has its own file."""
