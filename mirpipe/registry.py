"""The plug-in registry: finds plug-ins, loads them, and computes their revisions.

mirpipe's own plug-ins are the modules of four packages in `mirpipe/plugins`. Other packages
register a plug-in with an entry point whose value is the module name. The entry point groups are
`mirpipe.encoders`, `mirpipe.track_metrics`, `mirpipe.captioners` and `mirpipe.generators`.

`names` imports no plug-in. Every other method imports the module of one plug-in. The heavy
libraries are imported only by the constructor of `Plugin`, which `load` calls.
"""

import hashlib
import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from mirpipe.errors import PluginError, result_or_error
from mirpipe.models import devices, interpreters, weight_files
from mirpipe.protocols import Captioner, Encoder, Generator, TrackMetric
from mirpipe.settings import settings
from mirpipe.specs import (
    DECODING_VERSION,
    MAX_DIMENSION,
    CaptionerSpec,
    EncoderSpec,
    GeneratorSpec,
    MetricSpec,
    Needs,
    Runtime,
    TrackMetricSpec,
)

_NO_NEEDS = Needs(libraries=(), weights=())
_NOT_IN_REVISION = {
    "dimension",
    "licence_code",
    "licence_weights",
    "citation",
    "checkpoint",
    "uses_conditioning_audio",
    "is_random",
}

Spec = EncoderSpec | TrackMetricSpec | CaptionerSpec | GeneratorSpec
S = TypeVar("S", EncoderSpec, TrackMetricSpec, CaptionerSpec, GeneratorSpec)
P = TypeVar("P")


@dataclass(frozen=True)
class Plugins(Generic[S, P]):
    """All plug-ins of one kind, such as all encoders."""

    kind: str
    """Name of this kind in messages, such as `encoder`."""
    folder: str
    """Name of the package in `mirpipe/plugins` that contains mirpipe's own plug-ins of this
    kind."""

    @property
    def group(self) -> str:
        """Entry point group of plug-ins from other packages, such as `mirpipe.encoders`."""
        return f"mirpipe.{self.folder}"

    def names(self) -> list[str]:
        """Return the names of all installed plug-ins of this kind, sorted."""
        return sorted(self._modules())

    def declared(self, name: str) -> S:
        """Return the SPEC as the module declares it, without checking its weights.

        Raises PluginError if there is no such plug-in.
        """
        return cast(S, self._module(name).SPEC)

    def needs(self, name: str) -> Needs:
        """Return the libraries and weights that the plug-in needs in addition to the core package.

        Raises PluginError if there is no such plug-in.
        """
        return cast(Needs, getattr(self._module(name), "NEEDS", _NO_NEEDS))

    def spec(self, name: str) -> S:
        """Return the SPEC, with the hash of the installed weights and the configured dtype.

        Raises PluginError if there is no such plug-in or if its vectors are too long to be stored,
        and Unavailable if weights are missing.
        """
        declared, needs = self.declared(name), self.needs(name)
        if isinstance(declared, EncoderSpec):
            _require_storable(declared)
        if needs is _NO_NEEDS:
            return declared
        spec = replace(declared, compute_dtype=_compute_dtype(declared, needs))
        files = list(weight_files.verified_weights(needs.weights, plugin=name).values())
        if not files:
            return spec
        spec = replace(spec, checkpoint_sha256=weight_files.combined_sha256(files))
        if not any(file.random for file in files):
            return spec
        checkpoint = f"{spec.checkpoint} (random)"
        return replace(spec, checkpoint=checkpoint, licence_weights="none (random)", is_random=True)

    def select(self, names: Iterable[str], *, on_gpu: bool | None) -> list[str]:
        """Return the plug-ins that can use a GPU, or the others, or all if `on_gpu` is None.

        Plug-ins that cannot be imported count as plug-ins that cannot use a GPU.
        """
        return [name for name in names if on_gpu in (None, self._can_use_gpu(name))]

    def _can_use_gpu(self, name: str) -> bool:
        needs = result_or_error(self.needs, name)
        return isinstance(needs, Needs) and needs.can_use_gpu

    def takes_text(self, name: str) -> bool:
        """Return whether the plug-in can embed text, without checking its weights."""
        return hasattr(self._module(name).Plugin, "embed_text")

    def require_text(self, name: str) -> None:
        """Raise Unavailable if the weights for embedding text are missing."""
        weight_files.verified_weights(self.needs(name).text_weights, plugin=name)

    def interpreter(self, name: str) -> Path:
        """Return the Python interpreter that can run the plug-in.

        Raises Unavailable if weights or libraries are missing.
        """
        self.spec(name)
        return interpreters.find_python(self.needs(name).libraries, plugin=name)

    def load(self, name: str) -> P:
        """Return the plug-in with its model loaded.

        Raises Unavailable if weights are missing, and PluginError if the model computes on a GPU
        that this process has not reserved with `mirpipe.models.device_lease`.
        """
        module = self._module(name)
        if self.needs(name) is _NO_NEEDS:
            return cast(P, module.Plugin())
        return cast(P, module.Plugin(self.runtime(name)))

    def runtime(self, name: str) -> Runtime:
        """Return the weight files, the number format and the device of a plug-in.

        Raises the errors of `load`.
        """
        needs = self.needs(name)
        verified = weight_files.verified_weights(needs.weights, plugin=name)
        for file in needs.text_weights:
            if weight_files.find_weights(file):
                verified |= weight_files.verified_weights([file], plugin=name)
        files = {file: weights.path for file, weights in verified.items()}
        dtype = _compute_dtype(self.declared(name), needs)
        return Runtime(
            files,
            dtype,
            devices.device_for_loading(needs, plugin=name),
            generate_batch=settings().generate_batch,
        )

    def _modules(self) -> dict[str, str]:
        """Return the name of each plug-in's module, by plug-in name."""
        package = importlib.import_module(f"mirpipe.plugins.{self.folder}")
        own = {
            module.name: f"{package.__name__}.{module.name}"
            for module in pkgutil.iter_modules(package.__path__)
        }
        return own | {point.name: point.value for point in entry_points(group=self.group)}

    def _module(self, name: str) -> ModuleType:
        modules = self._modules()
        if name not in modules:
            raise PluginError(_unknown(self.kind, name, sorted(modules)))
        return importlib.import_module(modules[name])


ENCODERS: Plugins[EncoderSpec, Encoder] = Plugins("encoder", "encoders")
TRACK_METRICS: Plugins[TrackMetricSpec, TrackMetric] = Plugins("metric", "track_metrics")
CAPTIONERS: Plugins[CaptionerSpec, Captioner] = Plugins("captioner", "captioners")
GENERATORS: Plugins[GeneratorSpec, Generator] = Plugins("generator", "generators")
KINDS: tuple[Plugins[Any, Any], ...] = (ENCODERS, TRACK_METRICS, CAPTIONERS, GENERATORS)


def _require_storable(spec: EncoderSpec) -> None:
    """Raise PluginError if the database cannot store and search vectors of this dimension."""
    if not 1 <= spec.dimension <= MAX_DIMENSION:
        raise PluginError(
            f"The encoder {spec.name} has {spec.dimension:,} dimensions, but mirpipe supports 1 to "
            f"{MAX_DIMENSION:,}. Use a version of the plug-in that reduces the dimension, for "
            "example with a fixed random projection."
        )


def plugins_of(name: str) -> Plugins[Any, Any]:
    """Return all plug-ins of the kind to which the plug-in `name` belongs.

    Raises PluginError if there is no such plug-in.
    """
    for kind in KINDS:
        if name in kind.names():
            return kind
    raise PluginError(_unknown("model", name, [name for kind in KINDS for name in kind.names()]))


def revision(spec: Spec) -> str:
    """Return a plug-in's revision: a hash (16 hex digits) of everything that affects its results.

    Plug-ins with equal revisions give equal results.
    """
    identity = {name: value for name, value in asdict(spec).items() if name not in _NOT_IN_REVISION}
    return _digest(identity | {"decoding": DECODING_VERSION})


def metric_revision(spec: MetricSpec, *made_from: str) -> str:
    """Return a metric's revision (16 hex digits).

    `made_from` contains the revisions of the metric's input, such as melodies or vectors.
    """
    identity: dict[str, object] = {"name": spec.name, "version": spec.version}
    if spec.compares is None:
        identity["decoding"] = DECODING_VERSION
    return _digest(identity | ({"made_from": made_from} if made_from else {}))


def _compute_dtype(declared: Spec, needs: Needs) -> str:
    """Return the configured number format, or the declared one if the plug-in does not support
    it."""
    configured = settings().compute_dtype
    return configured if configured in needs.compute_dtypes else declared.compute_dtype


def _unknown(kind: str, name: str, installed: list[str]) -> str:
    """Return the message about a plug-in that does not exist."""
    return f"There is no {kind} {name!r}. Use one of these: {', '.join(installed) or 'none'}."


def _digest(identity: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
