"""What model libraries need to run as published: one file a library, the only place for patches.

Modules here import torch and the libraries at their top, so plug-ins import them in constructors.
"""

from mirpipe.libraries.torch_builds import make_importable

make_importable()  # before any library imports torchaudio or torchvision, as transformers does
