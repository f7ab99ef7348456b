"""Installation maintenance: checks, backups, and export of the results."""
