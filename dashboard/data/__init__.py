"""Cached database queries."""
