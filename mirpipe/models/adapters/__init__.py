"""Adapters that load and run the model libraries as published, one library per file.

If a library must be patched, the patch is in a separate file: `<library>_patches.py` or
`<library>_compat.py`. No other package patches a library. The modules in this package import torch
and the libraries at the top of the file, so plug-ins import these modules only in their
constructors.
"""

from mirpipe.models.adapters.torchaudio_torchvision_compat import make_importable

# This must run before any library imports torchaudio or torchvision. transformers imports both.
make_importable()
