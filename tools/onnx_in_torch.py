"""Run an ONNX network in PyTorch, for the tools that compare Martlet's training with it.

Covers the operators of the networks that Martlet is tested with. Batch normalisations that alone read a convolution are
folded into it first, as Martlet does, so that both have the same parameters: weights keep their names, a new bias is
called like its weight with `.bias` behind.
"""

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F


class Network:
    """A network whose parameters are leaves; calling it runs it forward."""

    def __init__(self, path, memory_format=torch.contiguous_format):
        graph = onnx.load(str(path)).graph
        self.nodes = list(graph.node)
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            if node.op_type == "Identity" and node.input[0] in constants:
                constants[node.output[0]] = constants[node.input[0]]
        self.nodes = [node for node in self.nodes if node.output[0] not in constants]
        self.input = [value.name for value in graph.input if value.name not in constants][0]
        self.output = graph.output[0].name
        self._fold(constants)
        self.constants = constants
        self.parameters = {}
        for node in self.nodes:
            if node.op_type in ("Conv", "Gemm", "MatMul"):
                for name in node.input:
                    if name in constants and name not in self.parameters:
                        leaf = torch.from_numpy(constants[name].copy())
                        if leaf.ndim == 4:
                            leaf = leaf.contiguous(memory_format=memory_format)
                        self.parameters[name] = leaf.requires_grad_()

    def _fold(self, constants):
        """Folds batch normalisations, in double precision."""
        uses = {}
        for node in self.nodes:
            for name in node.input:
                uses[name] = uses.get(name, 0) + 1
        producers = {node.output[0]: node for node in self.nodes if node.op_type == "Conv"}
        kept = []
        for node in self.nodes:
            producer = producers.get(node.input[0]) if node.op_type == "BatchNormalization" else None
            if producer is None or uses[node.input[0]] != 1:
                kept.append(node)
                continue
            epsilon = attributes(node).get("epsilon", 1e-5)
            scale, shift, mean, variance = (constants[name].astype(np.float64) for name in node.input[1:5])
            gain = scale / np.sqrt(variance + np.float64(np.float32(epsilon)))
            weight = producer.input[1]
            bias = producer.input[2] if len(producer.input) > 2 else weight + ".bias"
            old = constants.get(bias, np.zeros(len(gain))).astype(np.float64)
            kernel = constants[weight].astype(np.float64)
            constants[weight] = (kernel * gain.reshape(-1, *[1] * (kernel.ndim - 1))).astype(np.float32)
            constants[bias] = ((old - mean) * gain + shift).astype(np.float32)
            del producer.input[2:]
            producer.input.append(bias)
            producer.output[0] = node.output[0]
        self.nodes = kept

    def __call__(self, x):
        values = {self.input: x, **self.parameters}

        def get(name):
            if name not in values:
                values[name] = torch.from_numpy(np.array(self.constants[name]))
            return values[name]

        for node in self.nodes:
            values[node.output[0]] = run(node, [get(name) if name else None for name in node.input], attributes(node))
        return values[self.output]


def attributes(node):
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def padded(x, given, value):
    """The input with its border, and the padding that is left to the operator."""
    pads = given.get("pads", [0] * (2 * (x.ndim - 2)))
    half = len(pads) // 2
    if pads[:half] == pads[half:]:
        return x, pads[:half]
    order = [pads[axis + side * half] for axis in reversed(range(half)) for side in (0, 1)]
    return F.pad(x, order, value=value), [0] * half


def run(node, inputs, given):
    """One node."""
    x = inputs[0]
    kind = node.op_type
    if kind == "Conv":
        x, padding = padded(x, given, 0)
        function = F.conv2d if x.ndim == 4 else F.conv1d
        return function(
            x, inputs[1], inputs[2] if len(inputs) > 2 else None, given.get("strides", 1), padding,
            given.get("dilations", 1), given.get("group", 1),
        )
    if kind == "Gemm":
        a = x.t() if given.get("transA", 0) else x
        b = inputs[1].t() if given.get("transB", 0) else inputs[1]
        y = given.get("alpha", 1.0) * (a @ b)
        return y + given.get("beta", 1.0) * inputs[2] if len(inputs) > 2 else y
    if kind == "MaxPool":
        x, padding = padded(x, given, float("-inf"))
        return F.max_pool2d(
            x, given["kernel_shape"], given.get("strides", 1), padding, ceil_mode=bool(given.get("ceil_mode", 0))
        )
    if kind == "AveragePool":
        return F.avg_pool2d(
            x, given["kernel_shape"], given.get("strides", 1), given.get("pads", [0, 0])[:2],
            bool(given.get("ceil_mode", 0)), bool(given.get("count_include_pad", 0)),
        )
    if kind == "BatchNormalization":
        return F.batch_norm(x, inputs[3], inputs[4], inputs[1], inputs[2], False, 0, given.get("epsilon", 1e-5))
    if kind == "ReduceMean":
        axes = given.get("axes", inputs[1].tolist() if len(inputs) > 1 else None)
        return x.mean(axes, keepdim=bool(given.get("keepdims", 1)))
    if kind == "Slice":
        starts, ends = inputs[1].tolist(), inputs[2].tolist()
        axes = inputs[3].tolist() if len(inputs) > 3 else range(len(starts))
        steps = inputs[4].tolist() if len(inputs) > 4 else [1] * len(starts)
        for start, end, axis, step in zip(starts, ends, axes, steps):
            indices = range(x.shape[axis])[start:end:step]
            if step < 0 and end < -x.shape[axis]:
                indices = range(x.shape[axis])[start::step]
            x = x.index_select(axis, torch.tensor(list(indices), dtype=torch.int64))
        return x
    if kind == "LRN":
        return F.local_response_norm(x, given["size"], given.get("alpha", 1e-4), given.get("beta", 0.75), given.get("bias", 1.0))
    simple = {
        "Relu": lambda: torch.relu(x),
        "Sigmoid": lambda: torch.sigmoid(x),
        "HardSwish": lambda: F.hardswish(x),
        "Clip": lambda: torch.clamp(x, inputs[1], inputs[2]),
        "MatMul": lambda: x @ inputs[1],
        "Add": lambda: x + inputs[1],
        "Mul": lambda: x * inputs[1],
        "Concat": lambda: torch.cat(inputs, given["axis"]),
        "Flatten": lambda: torch.flatten(x, given.get("axis", 1)),
        "Reshape": lambda: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(inputs[1].tolist())]),
        "Unsqueeze": lambda: x.unsqueeze(int((given["axes"][0] if "axes" in given else inputs[1][0]))),
        "GlobalAveragePool": lambda: x.mean(tuple(range(2, x.ndim)), keepdim=True),
        "Gather": lambda: torch.index_select(x, given.get("axis", 0), inputs[1].reshape(-1)).reshape(
            *x.shape[: given.get("axis", 0)], *inputs[1].shape, *x.shape[given.get("axis", 0) + 1 :]
        ),
        "ConstantOfShape": lambda: torch.from_numpy(
            np.full(x.tolist(), numpy_helper.to_array(given["value"])[0] if "value" in given else np.float32(0))
        ),
        "Shape": lambda: torch.tensor(x.shape),
        "Cast": lambda: x.to(torch.int64) if given["to"] == onnx.TensorProto.INT64 else x,
        "Transpose": lambda: x.permute(given["perm"]),
        "Identity": lambda: x,
        "Dropout": lambda: x,
        "Pad": lambda: F.pad(x, [
            inputs[1].tolist()[axis + side * x.ndim] for axis in reversed(range(x.ndim)) for side in (0, 1)
        ]),
    }
    if kind not in simple:
        raise NotImplementedError(kind)
    return simple[kind]()
