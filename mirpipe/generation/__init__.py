"""Prepares generation: modes, prompts, generator requests and the clip store."""
