"""Parts of sentences: counted nouns, lists, verbs, and titles in any writing direction."""

from collections.abc import Sequence


def counted(n: int, noun: str) -> str:
    """Return the number with its noun, such as "1 target" or "1,000 targets"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(items: Sequence[str]) -> str:
    """Return one or more items as a list within a sentence."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else items[0]


def was(n: int) -> str:
    """Return the form of the verb that follows a counted noun."""
    return "was" if n == 1 else "were"


def isolated(title: str) -> str:
    """Return a title that does not change the writing direction of the sentence around it."""
    return f"\N{FIRST STRONG ISOLATE}{title}\N{POP DIRECTIONAL ISOLATE}"
