"""`mirpipe tags`: shows tags in guessed encodings, and sets the encoding of a folder."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson, address_argument
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, printable_title, wide_console
from mirpipe.db.queries.undecoded_tags import UndecodedFile, undecoded_files
from mirpipe.files.printable_path import printable_path

AUTO = "auto"
"""Value of --encoding that returns to the guess."""


@dataclass(frozen=True)
class DecodedValue:
    """One value of a file's tags, before and after decoding."""

    collection: str
    path: str
    encoding: str
    origin: str
    """`guessed` from the folder, `set` by this command, or `stated` by the file."""
    field: str
    before: str
    """The text if it is read as Latin-1, as the file states."""
    after: str
    shown: bool
    """Whether the library shows this value. If not, the labels come from a manifest."""


def tags(
    folder: Annotated[
        str | None,
        typer.Argument(help="List only the files in this folder and its subfolders."),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            help="Set the encoding of the tags in FOLDER, such as gbk, big5, shift_jis, euc_kr or "
            "cp1251. auto returns to the guess."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show tags whose encoding is not certain, and correct it.

    The tags are shown before and after decoding. Old programs write tags in the encoding of a
    language and mark them as Latin-1. mirpipe guesses the encoding from the tags of all files in a
    folder. If a guess is wrong, set the encoding. The files are not changed.

    Examples:

    \b
        mirpipe tags
        mirpipe tags ~/music/library/taipei --encoding big5
        mirpipe tags ~/music/library/taipei --encoding auto
    """
    from mirpipe.library.folder_scan import absolute_roots

    path = None if folder is None else absolute_roots([address_argument(folder)])[0]
    files = undecoded_files(path)
    if encoding is not None:
        _set_encoding(path, encoding, files)
        files = undecoded_files(path)
    values = [value for file in files for value in _decoded(file)]
    if as_json:
        print(json.dumps([asdict(value) for value in values]))
        return
    if not values:
        Console(stderr=True).print("The encoding of all tags is certain.")
        return
    table = Table("file", "encoding", "field", "before", "after", box=None)
    for value in values:
        table.add_row(
            escape_markup(value.path),
            f"{value.encoding}, {value.origin}" + ("" if value.shown else "; manifest is shown"),
            value.field,
            printable_title(value.before),
            printable_title(value.after),
        )
    print_table(wide_console(), table)


def _set_encoding(path: bytes | None, encoding: str, files: list[UndecodedFile]) -> None:
    """Set the encoding of a folder. Raises BadParameter if it is unknown or has no effect."""
    from mirpipe.library.folder_encodings import set_encoding
    from mirpipe.library.tag_encodings import codec_name

    if path is None:
        raise typer.BadParameter("Give the folder whose encoding is set.")
    if not files:
        raise typer.BadParameter(
            f"There is no ingested file with tags of uncertain encoding in {printable_path(path)}. "
            "Ingest the folder first; `mirpipe tags` lists these files."
        )
    try:
        name = None if encoding == AUTO else codec_name(encoding)
    except LookupError:
        raise typer.BadParameter(
            f"Tags cannot be in the encoding {encoding!r}. Give an encoding such as gbk, big5, "
            "shift_jis, euc_kr or cp1251, or auto."
        ) from None
    set_encoding(path, name)


def _decoded(file: UndecodedFile) -> Iterator[DecodedValue]:
    from mirpipe.library.tag_encodings import decode_text
    from mirpipe.library.tag_text import clean_text
    from mirpipe.library.tags import WESTERN, decode_western

    encoding = file.encoding or WESTERN
    origin = "guessed" if file.guessed else "stated" if encoding == WESTERN else "set"
    for field, values in file.values.items():
        for value in values:
            raw = value.encode("latin-1")
            yield DecodedValue(
                file.collection,
                file.path,
                encoding,
                origin,
                field,
                clean_text(decode_western(raw)),
                clean_text(decode_text(raw, encoding)),
                file.from_tags,
            )
