"""Statistics of arrays. No module of this package reads files or the database."""
