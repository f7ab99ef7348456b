"""What is measured of a track, to caption it and to condition a generation on it."""
