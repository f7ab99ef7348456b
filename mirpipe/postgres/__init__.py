"""The embedded Postgres server. This package knows nothing of music."""
