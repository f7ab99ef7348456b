"""Writes all results, and finds pending work: one module per kind of data."""
