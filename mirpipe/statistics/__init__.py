"""Statistics on arrays. The modules of this package read neither files nor the database."""
