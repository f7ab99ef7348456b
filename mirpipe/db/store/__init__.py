"""Every write and every question of what is missing, a file a subject."""
