"""A Markdown page as what it tells a reader to do: files to write and commands to type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt


@dataclass(frozen=True)
class File:
    """A code block whose fence names a path after the language."""

    path: str
    content: str


@dataclass(frozen=True)
class Command:
    """A line behind `$` and what the page says that it prints; None where it shows nothing."""

    line: str
    output: str | None

    def prints(self, output: str) -> bool:
        """Whether this is the output; `...` stands for anything, and blanks count as one."""
        if self.output is None:
            return True
        words = [re.escape(word) for word in self.output.split()]
        pattern = r"\s+".join(words).replace(r"\s+\.\.\.\s+", r"\s.*\s").replace(r"\.\.\.", ".*")
        return re.fullmatch(pattern, " ".join(output.split()), re.DOTALL) is not None


def steps(page: str) -> Iterator[File | Command]:
    """Every named file and every command of the page, in its order."""
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
