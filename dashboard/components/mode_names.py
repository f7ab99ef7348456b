"""Names of generation modes together with their guidance."""


def guidance_text(guidance: float | None) -> str:
    """Return the guidance scale as text, or "none" if the generator has no guidance."""
    return "none" if guidance is None else f"{guidance:g}"


def mode_with_guidance(mode: str, guidance: float | None) -> str:
    """Return the mode with its guidance in brackets, such as "strong (5)"."""
    return mode if guidance is None else f"{mode} ({guidance:g})"
