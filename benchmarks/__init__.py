"""Measurements of speed: a module a subject, each with `run()`."""
