"""Generation: modes, prompts, requests and the clip store."""
