"""Patches for the library laion_clap: no downloads, no code from a checkpoint, no printed text.

The library downloads three tokenizers when it is imported, and a fourth tokenizer with a RoBERTa
model in its constructor. It either does not use these downloads or overwrites them. Its loader runs
any code that a checkpoint contains, deletes a key that newer checkpoints do not have, and prints to
standard output. Each patch is undone at the end of its context.
"""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any
from unittest import mock

import transformers


@contextmanager
def without_downloads(roberta: Any) -> Iterator[None]:
    """While the context is open, the library receives None as tokenizer and `roberta` as model.

    The library also parses the command line and adds its own folder, which contains modules named
    `evaluate` and `training`, to sys.path. This context prevents the former and undoes the latter.
    """
    path = list(sys.path)
    tokenizers = (
        transformers.BertTokenizer,
        transformers.RobertaTokenizer,
        transformers.BartTokenizer,
    )
    with ExitStack() as patches:
        for tokenizer in tokenizers:
            patches.enter_context(
                mock.patch.object(tokenizer, "from_pretrained", return_value=None)
            )
        patches.enter_context(
            mock.patch.object(transformers.RobertaModel, "from_pretrained", return_value=roberta)
        )
        patches.enter_context(mock.patch.object(sys, "argv", sys.argv[:1]))
        try:
            yield
        finally:
            sys.path[:] = path


@contextmanager
def loading_only(state: Mapping[str, Any], clap_class: type) -> Iterator[None]:
    """While the context is open, `clap_class.load_ckpt` loads these tensors and prints nothing."""
    library = sys.modules[clap_class.__module__]
    with (
        mock.patch.object(library, "load_state_dict", return_value=state),
        redirect_stdout(io.StringIO()),
    ):
        yield
