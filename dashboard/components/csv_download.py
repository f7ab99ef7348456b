"""A button that downloads table rows as a CSV file, which is made when it is asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

Rows = pd.DataFrame | Sequence[Any]
"""A data frame, or dataclass instances of the same type."""


def download_button(data: Rows | Callable[[], Rows], *, name: str) -> None:
    """Draw a download button for these rows, or for the rows that a function reads.

    The function is called when the viewer presses the button. The file name is `name` in lower
    case with hyphens.
    """

    def file() -> bytes:
        read = data() if callable(data) else data
        rows = read if isinstance(read, pd.DataFrame) else pd.DataFrame(list(read))
        # Spreadsheet programs need the byte-order mark to recognise UTF-8.
        return rows.to_csv(index=False).encode("utf-8-sig")

    st.download_button(
        f"{name} (CSV)",
        file,
        file_name=f"{name.lower().replace(' ', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv {name}",
    )
