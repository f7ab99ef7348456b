"""Prints a table, or one block of lines per row if the table is too wide for the terminal."""

from rich.console import Console, RenderableType
from rich.table import Column, Table
from rich.text import Text

_BREAKABLE_WIDTH = 24
"""Words with a slash, such as paths, may be broken into pieces of at least this width."""
_PADDING = 2
"""Width that each column needs in addition to its cells, without the border line."""


def print_table(console: Console, table: Table, *, title: str = "") -> None:
    """Print the title and the table. No word is broken, except for paths.

    If the terminal is too narrow for that, each row is printed as a block with one line per column.
    Blocks leave out empty cells, except that an empty first cell repeats the cell above it.
    """
    if title:
        console.print(title, style="italic", markup=False)
    longest_words = [_longest_word(column, console) for column in table.columns]
    line = int(table.box is not None)
    spare = console.width - line - sum(width + _PADDING + line for width in longest_words)
    if spare >= 0:
        _set_widths(table, console, longest_words, spare)
        console.print(table)
    else:
        for block in _blocks(table, console):
            console.print(block)
            console.print()


def _set_widths(table: Table, console: Console, longest_words: list[int], spare: int) -> None:
    """Divide the spare width between the columns whose cells do not fit in one line.

    If rich divides it, it may break a word of one column although another one has spaces.
    """
    wanted = {
        number: _longest_line(column, console) - longest_words[number]
        for number, column in enumerate(table.columns)
    }
    for left, number in zip(
        range(len(wanted), 0, -1), sorted(wanted, key=wanted.__getitem__), strict=True
    ):
        added = min(wanted[number], spare // left)
        spare -= added
        table.columns[number].width = longest_words[number] + added
        table.columns[number].overflow = "fold"


def _longest_line(column: Column, console: Console) -> int:
    return max(
        part.cell_len
        for cell in (column.header, *column.cells)
        for part in _to_text(cell, console).split("\n", allow_blank=True)
    )


def _longest_word(column: Column, console: Console) -> int:
    """Return the width of the longest word of the column that must not be broken."""
    return max(
        (
            min(part.cell_len, _BREAKABLE_WIDTH) if "/" in part.plain else part.cell_len
            for cell in (column.header, *column.cells)
            for part in _as_text(cell, console).split(" ")
        ),
        default=0,
    )


def _blocks(table: Table, console: Console) -> list[Table]:
    """Return a table of two columns, heading and cell, for each row."""
    headings, rows = text_cells(table, console)
    blocks = []
    for row in rows:
        block = Table(box=None, show_header=False, pad_edge=False)
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        for heading, cell in zip(headings, row, strict=True):
            if cell.plain:
                block.add_row(heading, cell)
        blocks.append(block)
    return blocks


def text_cells(table: Table, console: Console) -> tuple[list[Text], list[list[Text]]]:
    """Return the headings and the rows of a table, with each cell as one line of text.

    An empty first cell is replaced by the cell above it.
    """
    headings = [_as_text(column.header, console) for column in table.columns]
    rows: list[list[Text]] = []
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        row = [_as_text(cell, console) for cell in cells]
        if rows and not row[0].plain:
            row[0] = rows[-1][0]
        rows.append(row)
    return headings, rows


def _as_text(cell: RenderableType, console: Console) -> Text:
    """Return the cell as one line of text."""
    return Text(" ").join(_to_text(cell, console).split("\n", allow_blank=False))


def _to_text(cell: RenderableType, console: Console) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell), highlight=False)
