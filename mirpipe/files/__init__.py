"""File hashes, printable paths, and file writes that are safe in a power cut."""
