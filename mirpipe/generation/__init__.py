"""Prepares generation: modes, prompts, requests to generators, and the store of clips."""
