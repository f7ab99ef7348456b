"""Finds encoders: the modules of `mirpipe.encoders` and outside ones by entry point.

Listing imports nothing; asking for a SPEC imports that module, whose heavy imports stand in its
constructor. An outside package names its module under the entry point group `mirpipe.encoders`.
"""

import hashlib
import importlib
import json
import pkgutil
from dataclasses import asdict, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import cast

import mirpipe.encoders
from mirpipe import interpreters, weights
from mirpipe.errors import PluginError
from mirpipe.protocols import Encoder
from mirpipe.records import EncoderSpec, MetricSpec, Needs, Runtime
from mirpipe.settings import settings

GROUP = "mirpipe.encoders"
_NOTHING = Needs(libraries=(), weights=())
_NOT_IDENTITY = {"dimension", "licence_code", "licence_weights", "citation", "checkpoint"}


def encoder_names() -> list[str]:
    """Names of all encoders on this machine, sorted."""
    return sorted(_modules())


def declared_spec(name: str) -> EncoderSpec:
    """The SPEC as the module states it, whether or not its weights are here."""
    return cast(EncoderSpec, _module(name).SPEC)


def needs(name: str) -> Needs:
    """What the encoder needs besides core."""
    return cast(Needs, getattr(_module(name), "NEEDS", _NOTHING))


def encoder_spec(name: str) -> EncoderSpec:
    """The SPEC of the encoder `name` with this machine's weights and the settings' dtype.

    Raises PluginError where there is no such encoder, Unavailable where its weights are missing.
    """
    declared, wants = declared_spec(name), needs(name)
    files = [weights.require(file, remedy=_pull(name)) for file in wants.weights]
    if not files:
        return declared
    spec = replace(
        declared,
        checkpoint_sha256=weights.identity(files),
        compute_dtype=_compute_dtype(declared, wants),
    )
    if not any(file.random for file in files):
        return spec
    return replace(spec, checkpoint=f"{spec.checkpoint} (random)", licence_weights="none (random)")


def interpreter(name: str) -> Path:
    """The interpreter that can run the encoder. Raises Unavailable where it cannot run."""
    encoder_spec(name)
    return interpreters.python_with(needs(name).libraries)


def load_encoder(name: str) -> Encoder:
    """The encoder `name`, its model loaded. Raises Unavailable where weights are missing."""
    module, wants = _module(name), needs(name)
    if wants is _NOTHING:
        return cast(Encoder, module.Plugin())
    remedy = _pull(name)
    files = {file: weights.require(file, remedy=remedy).path for file in wants.weights}
    for file in wants.text_weights:
        if weights.find(file):
            files[file] = weights.require(file, remedy=remedy).path
    dtype = _compute_dtype(declared_spec(name), wants)
    return cast(Encoder, module.Plugin(Runtime(files, dtype, settings().device)))


def encoder_revision(spec: EncoderSpec) -> str:
    """Identity of the vector space: 16 hex digits over all that determines a vector."""
    return _digest({k: v for k, v in asdict(spec).items() if k not in _NOT_IDENTITY})


def metric_revision(spec: MetricSpec) -> str:
    """Identity of a metric's numbers: 16 hex digits."""
    return _digest({"name": spec.name, "version": spec.version})


def _compute_dtype(declared: EncoderSpec, wants: Needs) -> str:
    asked = settings().compute_dtype
    return asked if asked in wants.compute_dtypes else declared.compute_dtype


def _pull(name: str) -> str:
    return f"`mirpipe models pull {name}`"


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
