"""Checks that a tokenizer belongs to its text encoder."""

from typing import Any

from mirpipe.errors import PluginError


def check_tokenizer_size(tokenizer: Any, vocabulary_size: int) -> None:
    """Raise PluginError if the tokenizer does not match a model with this vocabulary size.

    If the tokenizer's file is missing, transformers creates an empty tokenizer without an error.
    With an empty tokenizer, all texts would look the same to the model.
    """
    if not 0.9 * vocabulary_size < len(tokenizer) <= vocabulary_size:
        raise PluginError(
            f"The tokenizer has {len(tokenizer)} tokens, but the model needs about "
            f"{vocabulary_size}. Delete the tokenizer's file and run `mirpipe models pull` again"
        )
