"""Files on disk: hashes, printable paths, and writes that survive a power cut."""
