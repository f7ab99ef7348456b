"""A button that downloads table rows as a CSV file."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st


def download_button(data: pd.DataFrame | Sequence[Any], *, name: str) -> None:
    """Draw a download button for a data frame or for a sequence of dataclass instances.

    The instances must have the same type. The file name is `name` in lower case with hyphens.
    """
    rows = data if isinstance(data, pd.DataFrame) else pd.DataFrame(list(data))
    st.download_button(
        f"{name} (CSV)",
        # Spreadsheet programs need the byte-order mark to recognise UTF-8.
        rows.to_csv(index=False).encode("utf-8-sig"),
        file_name=f"{name.lower().replace(' ', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv {name}",
    )
