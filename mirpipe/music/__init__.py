"""Music as data: features, metrics, captions and a synthesiser. Nothing here knows the database."""
