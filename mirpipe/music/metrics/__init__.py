"""Metrics: one idea a file, arrays in, numbers out."""
