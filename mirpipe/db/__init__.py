"""The database layer: the only place that knows SQL."""
