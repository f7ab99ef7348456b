"""Prints a table, or one block of lines per row if the table is too wide for the terminal."""

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_BREAKABLE_WIDTH = 24
"""Words with a slash, such as paths, may be broken into pieces of at least this width."""
_BORDER = 2
"""Width that each column needs in addition to its longest word, without the border line."""


def print_table(console: Console, table: Table, *, title: str = "") -> None:
    """Print the title and the table. No word is broken, except for paths.

    If the terminal is too narrow for that, each row is printed as a block with one line per column.
    Blocks leave out empty cells, except that an empty first cell repeats the cell above it.
    """
    if title:
        console.print(title, style="italic", markup=False)
    if _required_width(table, console) <= console.width:
        console.print(table)
    else:
        for block in _blocks(table, console):
            console.print(block)
            console.print()


def _required_width(table: Table, console: Console) -> int:
    """Return the width in characters at which no word of the table is broken."""
    border = _BORDER + (table.box is not None)
    return sum(
        border + max(_longest_word(cell, console) for cell in (column.header, *column.cells))
        for column in table.columns
    )


def _longest_word(cell: RenderableType, console: Console) -> int:
    return max(
        (
            min(part.cell_len, _BREAKABLE_WIDTH) if "/" in part.plain else part.cell_len
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
    text = cell if isinstance(cell, Text) else console.render_str(str(cell), highlight=False)
    return Text(" ").join(text.split("\n", allow_blank=False))
