"""The dashboard: shows what `mirpipe.db.queries` returns and computes nothing."""
