"""Formatting of numbers, durations and times for display."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

DASH = "–"
"""Text that is shown instead of a missing value."""


def format_number(value: float | None, decimals: int) -> str:
    """Return the value with thousands separators and a real minus sign, or a dash for None.

    A value that rounds to zero is shown without a sign.
    """
    return DASH if value is None else f"{value:z,.{decimals}f}".replace("-", "−")


def with_minus_signs(text: str) -> str:
    """Return text with a real minus sign before each negative number, as in `format_number`."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as "3 min 05 s"."""
    rounded = round(seconds)
    hours, minutes = rounded // 3600, rounded % 3600 // 60
    if hours:
        return f"{hours:,} h {minutes:02d} min"
    return f"{minutes} min {rounded % 60:02d} s" if minutes else f"{rounded} s"


def format_local_time(time: datetime) -> str:
    """Return date and time in the viewer's time zone, or in UTC if the time zone is unknown."""
    zone = st.context.timezone
    local = time.astimezone(ZoneInfo(zone or "UTC"))
    return f"{local:%Y-%m-%d %H:%M}" + ("" if zone else " UTC")
