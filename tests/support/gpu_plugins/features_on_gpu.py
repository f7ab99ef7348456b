"""The captioner `features` as a plug-in that needs torch, and computes on a GPU if there is one."""

from dataclasses import replace

from mirpipe.plugins.captioners import features
from mirpipe.specs import Needs, Runtime

SPEC = replace(features.SPEC, name="features_on_gpu")
NEEDS = Needs(("torch",), weights=())


class Plugin(features.Plugin):
    """The plug-in with its device."""

    def __init__(self, runtime: Runtime) -> None:
        """Accept the device, which need not exist."""
        super().__init__()
        self.device = runtime.device
