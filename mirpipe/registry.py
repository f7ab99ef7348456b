"""Finds plug-ins: the modules of four packages, and outside ones by entry point.

Listing imports nothing; asking for a SPEC imports that module, whose heavy imports stand in its
constructor. An outside package names its module under an entry point group that is called as our
package is, such as `mirpipe.plugins.encoders`.
"""

import hashlib
import importlib
import json
import pkgutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from mirpipe.errors import PluginError
from mirpipe.models import interpreters, weight_files
from mirpipe.protocols import Captioner, Encoder, Generator, TrackMetric
from mirpipe.settings import settings
from mirpipe.specs import (
    CaptionerSpec,
    EncoderSpec,
    GeneratorSpec,
    MetricSpec,
    Needs,
    Runtime,
    TrackMetricSpec,
)

_NOTHING = Needs(libraries=(), weights=())
_NOT_IDENTITY = {"dimension", "licence_code", "licence_weights", "citation", "checkpoint"}

Spec = EncoderSpec | TrackMetricSpec | CaptionerSpec | GeneratorSpec
S = TypeVar("S", EncoderSpec, TrackMetricSpec, CaptionerSpec, GeneratorSpec)
P = TypeVar("P")


@dataclass(frozen=True)
class Plugins(Generic[S, P]):
    """All plug-ins of one kind, by name."""

    kind: str
    """As messages call one of them."""
    folder: str
    """The package below `mirpipe.plugins` that holds ours."""

    @property
    def group(self) -> str:
        """The entry point group of plug-ins from other packages, such as `mirpipe.encoders`."""
        return f"mirpipe.{self.folder}"

    def names(self) -> list[str]:
        """Names of all on this machine, sorted."""
        return sorted(self._modules())

    def declared(self, name: str) -> S:
        """The SPEC as the module states it, whether or not its weights are here."""
        return cast(S, self._module(name).SPEC)

    def needs(self, name: str) -> Needs:
        """What the plug-in needs besides core."""
        return cast(Needs, getattr(self._module(name), "NEEDS", _NOTHING))

    def spec(self, name: str) -> S:
        """The SPEC of `name` with this machine's weights and the settings' dtype.

        Raises PluginError where there is no such plug-in, Unavailable where weights are missing.
        """
        declared, wants = self.declared(name), self.needs(name)
        files = [weight_files.require(file, remedy=_pull(name)) for file in wants.weights]
        if not files:
            return declared
        spec = replace(
            declared,
            checkpoint_sha256=weight_files.identity(files),
            compute_dtype=_compute_dtype(declared, wants),
        )
        if not any(file.random for file in files):
            return spec
        checkpoint = f"{spec.checkpoint} (random)"
        return replace(spec, checkpoint=checkpoint, licence_weights="none (random)")

    def takes_text(self, name: str) -> bool:
        """Whether the plug-in can embed words, too; says nothing of its weights."""
        return hasattr(self._module(name).Plugin, "embed_text")

    def require_text(self, name: str) -> None:
        """Raises Unavailable where what embeds text with it is missing."""
        for file in self.needs(name).text_weights:
            weight_files.require(file, remedy=_pull(name))

    def interpreter(self, name: str) -> Path:
        """The interpreter that can run it. Raises Unavailable where it cannot run."""
        self.spec(name)
        return interpreters.python_with(self.needs(name).libraries)

    def load(self, name: str) -> P:
        """The plug-in, its model loaded. Raises Unavailable where weights are missing."""
        module, wants = self._module(name), self.needs(name)
        if wants is _NOTHING:
            return cast(P, module.Plugin())
        remedy = _pull(name)
        files = {file: weight_files.require(file, remedy=remedy).path for file in wants.weights}
        for file in wants.text_weights:
            if weight_files.find(file):
                files[file] = weight_files.require(file, remedy=remedy).path
        dtype = _compute_dtype(self.declared(name), wants)
        return cast(P, module.Plugin(Runtime(files, dtype, settings().device)))

    def _modules(self) -> dict[str, str]:
        package = importlib.import_module(f"mirpipe.plugins.{self.folder}")
        own = {
            m.name: f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)
        }
        return own | {e.name: e.value for e in entry_points(group=self.group)}

    def _module(self, name: str) -> ModuleType:
        modules = self._modules()
        if name not in modules:
            there = ", ".join(sorted(modules)) or "none"
            raise PluginError(f"no {self.kind} is called {name!r}; there are: {there}")
        return importlib.import_module(modules[name])


ENCODERS: Plugins[EncoderSpec, Encoder] = Plugins("encoder", "encoders")
TRACK_METRICS: Plugins[TrackMetricSpec, TrackMetric] = Plugins("metric", "track_metrics")
CAPTIONERS: Plugins[CaptionerSpec, Captioner] = Plugins("captioner", "captioners")
GENERATORS: Plugins[GeneratorSpec, Generator] = Plugins("generator", "generators")
KINDS: tuple[Plugins[Any, Any], ...] = (ENCODERS, TRACK_METRICS, CAPTIONERS, GENERATORS)


def plugins_of(name: str) -> Plugins[Any, Any]:
    """The kind that `name` belongs to. Raises PluginError where nothing is called so."""
    for kind in KINDS:
        if name in kind.names():
            return kind
    everything = ", ".join(name for kind in KINDS for name in kind.names())
    raise PluginError(f"no model is called {name!r}; there are: {everything}")


def revision(spec: Spec) -> str:
    """Identity of what the plug-in makes: 16 hex digits over all that determines it."""
    return _digest({k: v for k, v in asdict(spec).items() if k not in _NOT_IDENTITY})


def metric_revision(spec: MetricSpec, *made_from: str) -> str:
    """Identity of a metric's numbers: 16 hex digits.

    `made_from`: the revisions of what they are computed from, such as melodies or vectors.
    """
    identity: dict[str, object] = {"name": spec.name, "version": spec.version}
    return _digest(identity | ({"made_from": made_from} if made_from else {}))


def _compute_dtype(declared: Spec, wants: Needs) -> str:
    asked = settings().compute_dtype
    return asked if asked in wants.compute_dtypes else declared.compute_dtype


def _pull(name: str) -> str:
    return f"`mirpipe models pull {name}`"


def _digest(identity: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
