"""Files on disk: hashes and writes that survive a power cut."""
