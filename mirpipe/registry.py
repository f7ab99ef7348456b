"""Finds encoders: the modules of `mirpipe.encoders` and outside ones by entry point.

Listing imports nothing; asking for a SPEC imports that module, whose heavy imports stand in its
constructor. An outside package names its module under the entry point group `mirpipe.encoders`.
"""

import hashlib
import importlib
import json
import pkgutil
from dataclasses import asdict
from importlib.metadata import entry_points
from types import ModuleType
from typing import cast

import mirpipe.encoders
from mirpipe.errors import PluginError
from mirpipe.protocols import Encoder
from mirpipe.records import EncoderSpec, MetricSpec

GROUP = "mirpipe.encoders"
_NOT_IDENTITY = {"dimension", "licence_code", "licence_weights", "citation", "checkpoint"}


def encoder_names() -> list[str]:
    """Names of all encoders on this machine, sorted."""
    return sorted(_modules())


def encoder_spec(name: str) -> EncoderSpec:
    """The SPEC of the encoder `name`. Raises PluginError where there is none."""
    return cast(EncoderSpec, _module(name).SPEC)


def load_encoder(name: str) -> Encoder:
    """The encoder `name`, its model loaded."""
    return cast(Encoder, _module(name).Plugin())


def encoder_revision(spec: EncoderSpec) -> str:
    """Identity of the vector space: 16 hex digits over all that determines a vector."""
    return _digest({k: v for k, v in asdict(spec).items() if k not in _NOT_IDENTITY})


def metric_revision(spec: MetricSpec) -> str:
    """Identity of a metric's numbers: 16 hex digits."""
    return _digest({"name": spec.name, "version": spec.version})


def _digest(identity: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _modules() -> dict[str, str]:
    own = {m.name: f"{GROUP}.{m.name}" for m in pkgutil.iter_modules(mirpipe.encoders.__path__)}
    return own | {e.name: e.value for e in entry_points(group=GROUP)}


def _module(name: str) -> ModuleType:
    modules = _modules()
    if name not in modules:
        raise PluginError(f"no encoder is called {name!r}; there are: {', '.join(modules)}")
    return importlib.import_module(modules[name])
