"""The HTTP API: it only reads, and returns what `mirpipe.db.queries` returns as JSON."""
