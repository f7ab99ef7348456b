"""Writes all results and finds pending work, with one module per kind of data."""
