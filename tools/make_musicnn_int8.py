"""Makes `weights/musicnn_mtt_int8.onnx` from `weights/musicnn_mtt.onnx`.

    python tools/make_musicnn_int8.py [FOLDER]

The five convolutions over time and mel bands take nine tenths of the time of MusiCNN. Here they are
products of 8-bit matrices: each row is a window of the spectrogram, and the plug-in copies the
windows. Everything else stays in float32. The same model always gives the same bytes.

The results stay close to those in float32, with and without VNNI instructions:

- The rounding error of a weight is added to the next weight of its filter. Neighbouring values of a
  spectrogram are similar, so most of the errors cancel out.
- Weights use 7 of the 8 bits. Then the sum of two products fits into 16 bits, and processors
  without VNNI instructions give the same results as those with them.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper
from onnx_nodes import OnnxNodes

WEIGHTS = Path(__file__).resolve().parent.parent / "mirpipe/plugins/encoders/weights"
LARGEST = 63
"""Largest absolute value of a weight."""
WINDOWS = ("bands_38", "bands_67", "frames_128", "frames_64", "frames_32")
"""Inputs with the windows for each convolution. The shape is (frames, bands, values): a window for
each frame and lowest band, with the values of 38 or 67 bands of 7 frames, or of one band of 128,
64 or 32 frames."""

_FRAMES, _BANDS = 187, 96
Values = NDArray[np.float32]


def main(folder: Path = WEIGHTS) -> None:
    """Write the model to `folder`."""
    model = build(onnx.load(WEIGHTS / "musicnn_mtt.onnx"))
    (folder / "musicnn_mtt_int8.onnx").write_bytes(model.SerializeToString(deterministic=True))


def build(original: ModelProto) -> ModelProto:
    """Return the model with 8-bit convolutions.

    Its inputs are the windows, `scale` of shape (1,), which is the size of one step of the
    spectrogram, and `zero_point`, the step of the value that pads the spectrogram. This value is in
    the model's metadata as `padding`. The outputs are those of the original model.
    """
    graph = _Graph(original)
    for name, convolution in zip(WINDOWS, graph.convolutions, strict=True):
        graph.multiply(name, convolution)
    return graph.with_the_other_nodes()


class _Convolution:
    """A convolution of the original model, and the three nodes that follow it.

    A rectifier, a batch normalisation and the maximum over the bands follow. The order does not
    matter if the normalisation's slope is positive, so here the maximum comes first. Filters with a
    negative slope change their sign before the maximum, and again after it.
    """

    def __init__(self, original: ModelProto, node: NodeProto) -> None:
        user = {name: each for each in original.graph.node for name in each.input}
        values = _constants(original)
        self.rectifier = user[node.output[0]]
        self.normalisation = user[self.rectifier.output[0]]
        self.maximum = user[self.normalisation.output[0]]
        self.nodes = [node, self.rectifier, self.normalisation, self.maximum]
        self.signs = np.where(values[self.normalisation.input[1]] < 0, -1, 1).astype(np.float32)
        self.kernel = values[node.input[1]][:, 0] * self.signs[:, np.newaxis, np.newaxis]
        """Shape (filters, frames, bands)."""
        self.bias = values[node.input[2]] * self.signs


class _Graph(OnnxNodes):
    """The new graph. It starts with the 8-bit products."""

    def __init__(self, original: ModelProto) -> None:
        super().__init__("int8_")
        self._original = original
        first = [node for node in original.graph.node if node.op_type == "Conv"][: len(WINDOWS)]
        self.convolutions = [_Convolution(original, node) for node in first]
        self._inputs = [
            helper.make_tensor_value_info("scale", TensorProto.FLOAT, [1]),
            helper.make_tensor_value_info("zero_point", TensorProto.UINT8, []),
        ]
        self.constant("first_axis", np.array([0], np.int64))
        producer = {out: node for node in original.graph.node for out in node.output}
        normalisation = producer[first[0].input[0]]
        gamma, beta, mean, variance = (
            float(_constants(original)[name][0]) for name in normalisation.input[1:]
        )
        self._slope = gamma / float(np.sqrt(variance + _epsilon(normalisation)))
        self._padding = mean - beta / self._slope
        self._replaced = [producer[normalisation.input[0]], normalisation]

    def multiply(self, name: str, convolution: _Convolution) -> None:
        """Add a convolution: products of windows and filters, and the maximum over the bands."""
        frames, bands = convolution.kernel.shape[1:]
        filters = convolution.kernel.transpose(0, 2, 1).reshape(-1, frames * bands)
        steps = np.abs(filters).max(axis=1) / LARGEST
        shape = [_FRAMES, _BANDS - bands + 1, frames * bands]
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.UINT8, shape))
        weights = self.constant(f"{name}_weights", _rounded(filters / steps[:, np.newaxis]).T)
        step = self.constant(f"{name}_steps", (steps * self._slope).astype(np.float32))
        bias = self.constant(f"{name}_bias", convolution.bias)
        signs = self.constant(f"{name}_signs", convolution.signs)
        product = self.add("MatMulInteger", [name, weights, "zero_point"])
        largest = self.add("ReduceMax", [product], axes=[1], keepdims=0)
        scaled = self.add("Mul", [self.add("Cast", [largest], to=TensorProto.FLOAT), "scale"])
        sums = self.add("Add", [self.add("Mul", [scaled, step]), bias])
        rectified = self.add("Relu", [self.add("Mul", [sums, signs])])
        by_filter = self.add("Transpose", [rectified], perm=[1, 0])
        self.add(
            "BatchNormalization",
            [
                self.add("Unsqueeze", [by_filter, "first_axis"]),
                *convolution.normalisation.input[1:],
            ],
            convolution.maximum.output[0],
            epsilon=_epsilon(convolution.normalisation),
        )

    def with_the_other_nodes(self) -> ModelProto:
        """Return the model with all nodes of the original model that were not replaced."""
        for convolution in self.convolutions:
            self._replaced += convolution.nodes
        self.nodes += [n for n in self._original.graph.node if n not in self._replaced]
        used = {name for node in self.nodes for name in node.input}
        kept = [each for each in self._original.graph.initializer if each.name in used]
        model = helper.make_model(
            helper.make_graph(
                self.nodes,
                "MTT_musicnn_int8",
                self._inputs,
                list(self._original.graph.output),
                self.constants + kept,
            ),
            opset_imports=list(self._original.opset_import),
            ir_version=self._original.ir_version,
            producer_name="mirpipe",
        )
        tags = {each.key: each.value for each in self._original.metadata_props}
        helper.set_model_props(model, tags | {"padding": repr(self._padding)})
        checker.check_model(model, full_check=True)
        return model


def _constants(model: ModelProto) -> dict[str, Values]:
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def _epsilon(normalisation: NodeProto) -> float:
    return next(each.f for each in normalisation.attribute if each.name == "epsilon")


def _rounded(filters: Values) -> NDArray[np.int8]:
    """Round each row, and add the error of each value to the next one."""
    rounded = np.empty(filters.shape, np.int8)
    error = np.zeros(len(filters))
    for place in range(filters.shape[1]):
        exact = filters[:, place] + error
        rounded[:, place] = np.clip(np.round(exact), -LARGEST, LARGEST)
        error = exact - rounded[:, place]
    return rounded


if __name__ == "__main__":
    if len(sys.argv) not in (1, 2):
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
