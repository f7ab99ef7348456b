"""The pipeline stages. Each stage queries the database for pending work, and does that work."""
