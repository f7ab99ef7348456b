"""Writes numbers for people: a negative number has a minus sign, not a hyphen."""


def number_text(value: float, form: str) -> str:
    """Return the number in a format such as ".3f" or "+.2f", with a real minus sign."""
    return f"{value:{form}}".replace("-", "−")
