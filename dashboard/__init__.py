"""The dashboard: shows what `mirpipe.db.reports` returns and computes nothing."""
