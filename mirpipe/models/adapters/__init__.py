"""What model libraries need to run as published: one file a library, the only place for patches.

Modules here import torch and the libraries at their top, so plug-ins import them in constructors.
"""

from mirpipe.models.adapters.torchaudio_torchvision_compat import make_importable

make_importable()  # before any library imports torchaudio or torchvision, as transformers does
