"""Converts the weights in the source package `musicnn` 0.1.0 to `weights/musicnn_mtt.onnx`.

    pip download --no-deps --no-binary musicnn --require-hashes -r tools/musicnn.txt
    python tools/make_musicnn_onnx.py musicnn-0.1.0.tar.gz [FOLDER]

The package needs TensorFlow 1, which cannot be installed. Therefore numpy reads the package's
checkpoint, and this program builds the same graph as the package's `musicnn/models.py` (ISC
licence). The same source package always produces the same bytes. This program needs numpy and onnx.
"""

import ast
import hashlib
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper
from onnx_nodes import OnnxNodes
from tf_checkpoint import read_bundle

SDIST_SHA256 = "674ccc1fb638e6894f99197cfc2794b90d96444292ea28cedee96de0f74c4abd"
WEIGHTS = Path(__file__).resolve().parent.parent / "mirpipe/plugins/encoders/weights"
FRAMES, MELS = 187, 96
OPSET, IR_VERSION = 17, 8
"""Versions of the ONNX format, fixed so that the bytes do not depend on the onnx package."""
BATCH_NORM_EPSILON = 1e-3
"""TensorFlow's default value, which the checkpoint does not contain."""

Weights = dict[str, NDArray[np.float32]]


def main(sdist: Path, folder: Path = WEIGHTS) -> None:
    """Write the model and its licence to `folder`.

    Raises ValueError if `sdist` is not the expected source package.
    """
    if hashlib.sha256(sdist.read_bytes()).hexdigest() != SDIST_SHA256:
        raise ValueError(
            f"{sdist} is not the source package of musicnn 0.1.0. Download it with pip and "
            "tools/musicnn.txt"
        )
    with tarfile.open(sdist) as package:
        weights = read_bundle(
            _member(package, "musicnn/MTT_musicnn/.index"),
            _member(package, "musicnn/MTT_musicnn/.data-00000-of-00001"),
        )
        tags = _labels(_member(package, "musicnn/configuration.py").decode())
        licence = _member(package, "LICENSE.md")
    model = build({name: values.astype(np.float32) for name, values in weights.items()}, tags)
    (folder / "musicnn_mtt.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (folder / "musicnn.LICENCE").write_bytes(licence)


def build(weights: Weights, tags: list[str]) -> ModelProto:
    """Return the ONNX model.

    The model's input is `logmel` of shape (b, 187, 96). The outputs are `tags`, `penultimate`,
    `mean_pool` and `max_pool`.
    """
    graph = _Graph(weights)
    graph.constant("channel_axis", np.array([1], np.int64))
    image = graph.add("Unsqueeze", ["logmel", "channel_axis"])
    image = graph.batch_norm(image, 0)
    # This padding keeps the length of the time axis, like TensorFlow's `same` padding.
    time_pads = [(3, 3), (3, 3), (63, 64), (31, 32), (15, 16)]
    parts = [graph.front_block(image, number, pads) for number, pads in enumerate(time_pads)]
    front = graph.add("Concat", parts, axis=1)
    middle = [graph.middle_block(front, 5)]
    for number in (6, 7):
        middle.append(graph.add("Add", [graph.middle_block(middle[-1], number), middle[-1]]))
    features = graph.add("Concat", [front, *middle], axis=1)
    graph.add("ReduceMax", [features], "max_pool", axes=[2], keepdims=0)
    graph.add("ReduceMean", [features], "mean_pool", axes=[2], keepdims=0)
    graph.back_end(graph.add("Concat", ["max_pool", "mean_pool"], axis=1))
    widths = {"tags": len(tags), "penultimate": 200, "mean_pool": 753, "max_pool": 753}
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "MTT_musicnn",
            [helper.make_tensor_value_info("logmel", TensorProto.FLOAT, ["b", FRAMES, MELS])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", width])
                for name, width in widths.items()
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="mirpipe",
    )
    helper.set_model_props(model, {"tags": json.dumps(tags)})
    checker.check_model(model, full_check=True)
    return model


class _Graph(OnnxNodes):
    """The graph of the model. Feature maps have the shape (b, channels, time)."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights

    def batch_norm(self, x: str, number: int, output: str = "", *, pooled: bool = False) -> str:
        layer = _layer("batch_normalization", number)
        inputs = [x]
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            values = self._weights[f"{layer}/{part}"]
            inputs.append(
                self.constant(f"{layer}/{part}", _maxima_before_means(values) if pooled else values)
            )
        return self.add("BatchNormalization", inputs, output, epsilon=BATCH_NORM_EPSILON)

    def front_block(self, image: str, number: int, pads: tuple[int, int]) -> str:
        """Add a 2-D convolution over time and mel bands, followed by the maximum over the bands."""
        kernel = self._weights[f"{_layer('conv2d', number)}/kernel"].transpose(3, 2, 0, 1)
        h = self._convolution(image, number, kernel, [pads[0], 0, pads[1], 0])
        return self.add("ReduceMax", [h], axes=[3], keepdims=0)

    def middle_block(self, x: str, number: int) -> str:
        """Add a 1-D convolution over time.

        The source package stores its kernel in 2-D: the second axis covers all channels.
        """
        kernel = self._weights[f"{_layer('conv2d', number)}/kernel"][:, :, 0].transpose(2, 1, 0)
        return self._convolution(x, number, kernel, [3, 3])

    def back_end(self, pooled: str) -> None:
        """Add the two dense layers."""
        kernel = self.constant("dense/kernel", _maxima_before_means(self._weights["dense/kernel"]))
        bias = self.constant("dense/bias", self._weights["dense/bias"])
        h = self.add("Gemm", [self.batch_norm(pooled, 9, pooled=True), kernel, bias])
        self.batch_norm(self.add("Relu", [h]), 10, "penultimate")
        kernel = self.constant("dense_1/kernel", self._weights["dense_1/kernel"])
        bias = self.constant("dense_1/bias", self._weights["dense_1/bias"])
        self.add("Sigmoid", [self.add("Gemm", ["penultimate", kernel, bias])], "tags")

    def _convolution(
        self, x: str, number: int, kernel: NDArray[np.float32], pads: list[int]
    ) -> str:
        layer = _layer("conv2d", number)
        name = self.constant(f"{layer}/kernel", kernel)
        bias = self.constant(f"{layer}/bias", self._weights[f"{layer}/bias"])
        h = self.add("Conv", [x, name, bias], kernel_shape=list(kernel.shape[2:]), pads=pads)
        return self.batch_norm(self.add("Relu", [h]), number + 1)


def _maxima_before_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows sorted as [all maxima, all means]. In the source package, they alternate."""
    return np.concatenate([values[0::2], values[1::2]])


def _layer(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number else kind


def _member(package: tarfile.TarFile, path: str) -> bytes:
    member = package.extractfile(f"musicnn-0.1.0/{path}")
    if member is None:
        raise ValueError(f"The source package has no file {path}")
    return member.read()


def _labels(configuration: str) -> list[str]:
    """Return `MTT_LABELS` from the package's configuration. The code is parsed but not run."""
    for statement in ast.parse(configuration).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "MTT_LABELS":
            return list(ast.literal_eval(statement.value))
    raise ValueError("The configuration of the source package does not define MTT_LABELS")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
