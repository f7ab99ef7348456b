"""Patch for the library muq: MuQ-MuLan is constructed without downloading two other models.

The library's constructor loads MuQ and XLM-RoBERTa from the hub. The checkpoint then overwrites all
their weights. The patch is undone at the end of its context.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import muq
import transformers


@contextmanager
def without_downloads(audio: Any, text: Any) -> Iterator[None]:
    """While the context is open, the library receives `audio` as MuQ and `text` as XLM-RoBERTa."""
    with (
        mock.patch.object(muq.MuQ, "from_pretrained", return_value=audio),
        mock.patch.object(transformers.XLMRobertaModel, "from_pretrained", return_value=text),
    ):
        yield
