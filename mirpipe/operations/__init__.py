"""Looking after an installation: doctor, backup and export."""
