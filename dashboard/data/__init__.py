"""Cached queries."""
