"""How the text of an environment variable becomes a setting, and which values are refused."""

import math
import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainValidator
from pydantic_settings import NoDecode

from mirpipe.files.addresses import S3_SCHEME, Address, absolute_address


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _to_address(value: object) -> Address:
    if not isinstance(value, str | os.PathLike):
        raise ValueError("expected a path, or an address that begins with s3://")
    return absolute_address(os.fspath(value))


def _split_folders(value: object) -> object:
    if not isinstance(value, str):
        return value
    folders: list[str] = []
    for part in value.split(os.pathsep):
        # The colon of `s3://` is not a separator.
        if part.startswith("//") and folders and f"{folders[-1]}://" == S3_SCHEME:
            folders[-1] += os.pathsep + part
        else:
            folders.append(part)
    return [folder for folder in folders if folder]


def _split_by_commas(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def is_compared(metric: str) -> bool:
    """Return whether encoders or modes are compared by this metric.

    The cosines of different encoders have different scales. Offsets, and thresholds (`_null95`), do
    not measure quality.
    """
    return metric not in ("cosine", "melody_offset") and not metric.endswith("_null95")


def _require_comparable(metric: str) -> str:
    if not is_compared(metric):
        raise ValueError(f"{metric!r} is never compared, so it cannot be tested first")
    return metric


def require_metric_of_pairs(metric: str) -> str:
    """Return the name of the metric.

    Raises ValueError if a change of the metric cannot be tested on the tracks that two runs or two
    revisions share. z and percentile depend on all tracks.
    """
    if metric in ("z", "percentile", "melody_accuracy_melodic") or not is_compared(metric):
        raise ValueError(
            f"the change of {metric} cannot be tested; use a pair metric such as aligned_melody or "
            "melody_accuracy_corrected, or a score axis"
        )
    return metric


def parse_margins(texts: Sequence[str]) -> dict[str, float]:
    """Return margins by metric, from texts such as `aligned_melody=0.02`.

    Raises ValueError if a text has another form, if the margin is negative or infinite, or if the
    metric cannot be tested or is named twice.
    """
    margins: dict[str, float] = {}
    for text in texts:
        metric, _, number = text.partition("=")
        try:
            margin = float(number)
        except ValueError:
            margin = math.nan
        if not metric or not 0 <= margin < math.inf:
            raise ValueError(
                f"{text!r} is not METRIC=MARGIN with a margin of at least 0, such as "
                "aligned_melody=0.02"
            )
        if metric in margins:
            raise ValueError(f"{metric!r} has two margins")
        margins[require_metric_of_pairs(metric)] = margin
    return margins


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
FolderAddress = Annotated[Address, PlainValidator(_to_address)]
"""An absolute path, or an address that begins with `s3://`."""
FolderList = Annotated[list[FolderAddress], NoDecode, BeforeValidator(_split_folders)]
"""Folders or `s3://` addresses, separated by colons as in PATH."""
NameList = Annotated[list[str], NoDecode, BeforeValidator(_split_by_commas)]
"""Names, separated by commas."""
NumberList = Annotated[list[float], NoDecode, BeforeValidator(_split_by_commas)]
"""Numbers, separated by commas."""
IPAddress = Annotated[str, AfterValidator(lambda value: str(ip_address(value)))]
ComparableMetric = Annotated[str, AfterValidator(_require_comparable)]
"""Name of a metric that comparisons test."""


def require_known_pair(pair: str, known: Sequence[str]) -> None:
    """Raise ValueError unless the text is two different known names, separated by a colon."""
    names = pair.split(":")
    if len(names) != 2 or names[0] == names[1]:
        raise ValueError(f"{pair!r} is not two different names separated by a colon")
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} in {pair!r} is none of: {', '.join(known)}")
