"""Suppresses progress bars and warnings while the library transformers loads a model."""

from collections.abc import Iterator
from contextlib import contextmanager

import transformers


@contextmanager
def without_progress_bar() -> Iterator[None]:
    """While the context is open, transformers shows no progress bar."""
    logging = transformers.utils.logging
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()


@contextmanager
def errors_only() -> Iterator[None]:
    """While the context is open, transformers shows no progress bar and no warnings.

    MusicGen-Melody is loaded in this context: otherwise, transformers would warn that one of the
    model's tokens is outside the range of the audio codes. The model has that token on purpose.
    """
    logging = transformers.utils.logging
    had_bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()
