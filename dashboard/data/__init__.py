"""Cached results of database queries."""
