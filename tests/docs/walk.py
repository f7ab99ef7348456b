"""Extracts the steps of a Markdown page: files to write and commands to run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt


@dataclass(frozen=True)
class File:
    """A code block whose opening fence contains a path after the language."""

    path: str
    content: str


@dataclass(frozen=True)
class Command:
    """A command after `$`, and the output on the page, or None if the page shows no output."""

    line: str
    output: str | None

    def prints(self, output: str) -> bool:
        """Return whether the output matches. `...` matches any text; whitespace is collapsed."""
        if self.output is None:
            return True
        words = [re.escape(word) for word in self.output.split()]
        pattern = r"\s+".join(words).replace(r"\s+\.\.\.\s+", r"\s.*\s").replace(r"\.\.\.", ".*")
        return re.fullmatch(pattern, " ".join(output.split()), re.DOTALL) is not None


def steps(page: str) -> Iterator[File | Command]:
    """Yield every named file and every command on the page, in order."""
    for token in MarkdownIt().parse(page):
        language, _, path = token.info.strip().partition(" ")
        if token.type != "fence":
            continue
        if path:
            yield File(path, token.content)
        elif language == "console":
            yield from _commands(token.content)


def _commands(block: str) -> Iterator[Command]:
    for said in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = said.partition("\n")
        yield Command(line, output or None)
