"""Turns audio files into tracks: folder scans, manifests, tags and content hashes."""
