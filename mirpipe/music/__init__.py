"""Music analysis and synthesis: features, metrics, captions and a synthesiser.

No module in this package reads the settings or the database.
"""
