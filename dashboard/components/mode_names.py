"""Names of generation modes together with their guidance."""


def mode_with_guidance(mode: str, guidance: float | None) -> str:
    """Return the mode with its guidance in brackets, such as "strong (5)"."""
    return mode if guidance is None else f"{mode} ({guidance:g})"
