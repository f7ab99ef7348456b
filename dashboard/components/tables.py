"""Tables that anybody can take along: drawn by Streamlit or by us, each with its CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st


def frame(
    data: pd.DataFrame, *, name: str, columns: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """A table that sorts and searches; `options` are those of `st.dataframe`."""
    drawn = st.dataframe(data, hide_index=True, column_config=columns, alt=name, **options)
    download(data, name=name)
    return drawn


def download(data: pd.DataFrame | Sequence[Any], *, name: str) -> None:
    """A button that downloads the rows: a frame, or dataclasses of one kind."""
    rows = data if isinstance(data, pd.DataFrame) else pd.DataFrame(list(data))
    st.download_button(
        f"{name} (CSV)",
        rows.to_csv(index=False).encode("utf-8-sig"),  # the mark makes spreadsheets read UTF-8
        file_name=f"{name.lower().replace(' ', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv {name}",
    )
