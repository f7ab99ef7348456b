"""Reads the tags of audio files in each kind of tag: as raw names and values, without meaning."""
