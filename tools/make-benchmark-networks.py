#!/usr/bin/env python3
"""Write the networks that tools/benchmark-peers.py times, as ONNX, from nothing but a seed.

    tools/setup-python.sh peers
    .venv-peers/bin/python tools/make-benchmark-networks.py FOLDER                  # all of them
    .venv-peers/bin/python tools/make-benchmark-networks.py FOLDER alexnet resnet50 # some
    .venv-peers/bin/python tools/make-benchmark-networks.py FOLDER --resnet18 resnet18-imagenet.onnx

Time depends on shapes, not on what the weights are, so the weights are random: normal with He's variance, and the last
convolution of a residual branch at half of it in amplitude, so that in depth activations neither explode nor vanish.
Batch normalisation is taken as folded, which is what exporters do for inference: each convolution has a bias, and no
BatchNormalization follows it. Opset 17, input `input` with a dynamic batch `N`, output `logits`.

The `resnet18-tucker`, `-tucker-odd` and `-cp` networks are ResNet-18 with every 3x3 convolution replaced by a chain of
smaller ones, as compression does it, but with random factors: the ResNet-18 of `--resnet18 FILE`, or else the random
one. The 7x7 convolution, the 1x1 convolutions and the fully connected layer stay. The same seed and NumPy give the same
bytes.
"""

import argparse
import math
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 20251104
OPSET = 17
IR_VERSION = 8


def generator(name):
    """Random numbers that depend on the network's name alone, not on which others are written."""
    return np.random.default_rng([SEED, *name.encode()])


def normal(random, shape, deviation):
    return random.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


class Graph:
    """A network under construction. Values are known by name; the channels and the size of each are kept along."""

    def __init__(self, name, channels, size):
        self.name = name
        self.random = generator(name)
        self.nodes = []
        self.weights = []
        self.shapes = {"input": (channels, size, size)}
        self.input = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", channels, size, size])

    def add(self, operator, inputs, name, shape, output=None, **attributes):
        output = output or name
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        self.shapes[output] = shape
        return output

    def weight(self, name, array):
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def convolution(self, x, name, outputs, kernel, stride=1, padding=0, gain=1.0, relu=True):
        inputs, height, width = self.shapes[x]
        deviation = gain * math.sqrt(2 / (inputs * kernel * kernel))
        weights = normal(self.random, (outputs, inputs, kernel, kernel), deviation)
        parameters = [
            self.weight(name + ".weight", weights),
            self.weight(name + ".bias", normal(self.random, outputs, 0.05)),
        ]
        size = [(extent + 2 * padding - kernel) // stride + 1 for extent in (height, width)]
        y = self.add(
            "Conv",
            [x, *parameters],
            name,
            (outputs, *size),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[padding] * 4,
        )
        return self.relu(y) if relu else y

    def relu(self, x):
        return self.add("Relu", [x], x + ".relu", self.shapes[x])

    def sum(self, x, y, name):
        return self.relu(self.add("Add", [x, y], name, self.shapes[x]))

    def maximum_pool(self, x, name, kernel, stride, padding=0, ceil=False):
        channels, *extents = self.shapes[x]
        rounded = math.ceil if ceil else math.floor
        size = [rounded((extent + 2 * padding - kernel) / stride) + 1 for extent in extents]
        return self.add(
            "MaxPool",
            [x],
            name,
            (channels, *size),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[padding] * 4,
            ceil_mode=int(ceil),
        )

    def local_response(self, x, name):
        return self.add("LRN", [x], name, self.shapes[x], size=5, alpha=1e-4, beta=0.75, bias=1.0)

    def concatenation(self, inputs, name):
        channels = sum(self.shapes[x][0] for x in inputs)
        return self.add("Concat", inputs, name, (channels, *self.shapes[inputs[0]][1:]), axis=1)

    def every_second_pixel(self, x, name):
        channels, *extents = self.shapes[x]
        end = np.iinfo(np.int64).max  # as exporters write `[:, :, ::2, ::2]`
        bounds = {"starts": [0, 0], "ends": [end, end], "axes": [2, 3], "steps": [2, 2]}
        inputs = [self.weight(f"{name}.{key}", np.array(value, np.int64)) for key, value in bounds.items()]
        return self.add("Slice", [x, *inputs], name, (channels, *(-(-extent // 2) for extent in extents)))

    def zero_channels(self, x, name, channels):
        """Zeros before and after the channels of `x`, as many on either side."""
        inputs, *size = self.shapes[x]
        border = (channels - inputs) // 2
        pads = self.weight(name + ".pads", np.array([0, border, 0, 0, 0, border, 0, 0], np.int64))
        return self.add("Pad", [x, pads], name, (channels, *size), mode="constant")

    def global_average(self, x):
        return self.add("GlobalAveragePool", [x], "average", (self.shapes[x][0], 1, 1))

    def flatten(self, x):
        return self.add("Flatten", [x], "flatten", (math.prod(self.shapes[x]),), axis=1)

    def fully_connected(self, x, name, outputs, output=None):
        (inputs,) = self.shapes[x]
        weights = normal(self.random, (outputs, inputs), math.sqrt((1 if output else 2) / inputs))
        parameters = [
            self.weight(name + ".weight", weights),
            self.weight(name + ".bias", normal(self.random, outputs, 0.05)),
        ]
        return self.add("Gemm", [x, *parameters], name, (outputs,), output=output, transB=1)

    def model(self):
        (classes,) = self.shapes["logits"]
        output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])
        graph = helper.make_graph(self.nodes, self.name, [self.input], [output], self.weights)
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="martlet make-benchmark-networks",
        )


# Networks.


def imagenet_stem(graph):
    x = graph.convolution("input", "conv1", 64, 7, stride=2, padding=3)
    return graph.maximum_pool(x, "pool1", 3, 2, padding=1)


def classifier(graph, x, classes=1000):
    graph.fully_connected(graph.flatten(graph.global_average(x)), "fc", classes, output="logits")
    return graph.model()


def resnet18():
    """He et al. 2015, as in torchvision: two 3x3 convolutions a block."""
    graph = Graph("resnet18", 3, 224)
    x = imagenet_stem(graph)
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            prefix = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = graph.convolution(x, prefix + ".conv1", width, 3, stride=stride, padding=1)
            y = graph.convolution(y, prefix + ".conv2", width, 3, padding=1, gain=0.5, relu=False)
            if stride != 1:
                x = graph.convolution(x, prefix + ".downsample", width, 1, stride=stride, relu=False)
            x = graph.sum(y, x, prefix + ".add")
    return classifier(graph, x)


def resnet50():
    """He et al. 2015, as in torchvision: 1x1, 3x3, 1x1, and the stride in the 3x3 ("version 1.5")."""
    graph = Graph("resnet50", 3, 224)
    x = imagenet_stem(graph)
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
        for block in range(blocks):
            prefix = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = graph.convolution(x, prefix + ".conv1", width, 1)
            y = graph.convolution(y, prefix + ".conv2", width, 3, stride=stride, padding=1)
            y = graph.convolution(y, prefix + ".conv3", 4 * width, 1, gain=0.5, relu=False)
            if block == 0:
                x = graph.convolution(x, prefix + ".downsample", 4 * width, 1, stride=stride, relu=False)
            x = graph.sum(y, x, prefix + ".add")
    return classifier(graph, x)


def alexnet():
    """Krizhevsky 2014 ("one weird trick"), as in torchvision. At 224x224 its adaptive pooling changes nothing, and
    dropout is the identity."""
    graph = Graph("alexnet", 3, 224)
    x = graph.convolution("input", "conv1", 64, 11, stride=4, padding=2)
    x = graph.maximum_pool(x, "pool1", 3, 2)
    x = graph.convolution(x, "conv2", 192, 5, padding=2)
    x = graph.maximum_pool(x, "pool2", 3, 2)
    x = graph.convolution(x, "conv3", 384, 3, padding=1)
    x = graph.convolution(x, "conv4", 256, 3, padding=1)
    x = graph.convolution(x, "conv5", 256, 3, padding=1)
    x = graph.flatten(graph.maximum_pool(x, "pool5", 3, 2))
    x = graph.relu(graph.fully_connected(x, "fc6", 4096))
    x = graph.relu(graph.fully_connected(x, "fc7", 4096))
    graph.fully_connected(x, "fc8", 1000, output="logits")
    return graph.model()


# Of each inception module: channels of the 1x1 branch, of the 3x3 branch (reduced, then 3x3), of the 5x5 branch
# (likewise) and of the 1x1 after pooling.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet():
    """Szegedy et al. 2014, as in Caffe: local response normalisation, pooling that rounds up; no auxiliary heads."""
    graph = Graph("googlenet", 3, 224)
    x = graph.convolution("input", "conv1", 64, 7, stride=2, padding=3)
    x = graph.local_response(graph.maximum_pool(x, "pool1", 3, 2, ceil=True), "lrn1")
    x = graph.convolution(x, "conv2.reduce", 64, 1)
    x = graph.local_response(graph.convolution(x, "conv2", 192, 3, padding=1), "lrn2")
    x = graph.maximum_pool(x, "pool2", 3, 2, ceil=True)
    for module, (one, reduce3, three, reduce5, five, pool) in INCEPTION.items():
        prefix = f"inception{module}"
        if module in ("4a", "5a"):
            x = graph.maximum_pool(x, f"pool{int(module[0]) - 1}", 3, 2, ceil=True)
        branches = [
            graph.convolution(x, prefix + ".1x1", one, 1),
            graph.convolution(
                graph.convolution(x, prefix + ".3x3.reduce", reduce3, 1), prefix + ".3x3", three, 3, padding=1
            ),
            graph.convolution(
                graph.convolution(x, prefix + ".5x5.reduce", reduce5, 1), prefix + ".5x5", five, 5, padding=2
            ),
            graph.convolution(
                graph.maximum_pool(x, prefix + ".pool", 3, 1, padding=1), prefix + ".pool.1x1", pool, 1
            ),
        ]
        x = graph.concatenation(branches, prefix)
    return classifier(graph, x)


def resnet20():
    """He et al. 2015 for CIFAR-10: 32x32, shortcuts without parameters, which take every second pixel and add channels
    of zeros ("option A")."""
    graph = Graph("resnet20", 3, 32)
    x = graph.convolution("input", "conv1", 16, 3, padding=1)
    for stage, width in enumerate((16, 32, 64), start=1):
        for block in range(3):
            prefix = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = graph.convolution(x, prefix + ".conv1", width, 3, stride=stride, padding=1)
            y = graph.convolution(y, prefix + ".conv2", width, 3, padding=1, gain=0.5, relu=False)
            if stride != 1:
                x = graph.every_second_pixel(x, prefix + ".slice")
                x = graph.zero_channels(x, prefix + ".pad", width)
            x = graph.sum(y, x, prefix + ".add")
    return classifier(graph, x, classes=10)


# Factorised networks: a chain of convolutions in place of each 3x3.


def attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def convolution_node(x, y, name, parameters, kernel, strides=(1, 1), pads=(0, 0), groups=1):
    return helper.make_node(
        "Conv",
        [x, *parameters],
        [y],
        name=name,
        kernel_shape=list(kernel),
        strides=list(strides),
        pads=[*pads, *pads],
        group=groups,
    )


class Chain:
    """What replaces one 3x3 convolution: nodes, one after the other, and their weights."""

    def __init__(self, node):
        self.x, self.y, self.name = node.input[0], node.output[0], node.name
        self.nodes = []
        self.weights = []

    def append(self, factor, weights, bias=None, last=False, **geometry):
        name = f"{self.name}/{factor}"
        self.weights.append(numpy_helper.from_array(weights, name + ".weight"))
        parameters = [name + ".weight", *([bias] if bias else [])]
        y = self.y if last else name
        self.nodes.append(convolution_node(self.x, y, name, parameters, weights.shape[2:], **geometry))
        self.x = y


def tucker(random, node, kernel, rank):
    """1x1 to `rank(S)` channels, 3x3 to `rank(T)`, 1x1 to T. The kernel that the factors amount to has, in expectation,
    the norm of the one that they replace."""
    outputs, inputs = kernel.shape[:2]
    output_rank, input_rank = rank(outputs), rank(inputs)
    geometry = attributes(node)
    chain = Chain(node)
    chain.append("input", normal(random, (input_rank, inputs, 1, 1), inputs**-0.5))
    chain.append(
        "core",
        normal(random, (output_rank, input_rank, 3, 3), (9 * input_rank) ** -0.5),
        strides=geometry["strides"],
        pads=geometry["pads"][:2],
    )
    deviation = np.linalg.norm(kernel) / math.sqrt(outputs * output_rank)
    chain.append("output", normal(random, (outputs, output_rank, 1, 1), deviation), bias=node.input[2], last=True)
    return chain


def canonical_polyadic(random, node, kernel):
    """1x1 to R channels, 3x1 and 1x3 in each channel, 1x1 to T; R = T. Norm as in `tucker`."""
    outputs, inputs = kernel.shape[:2]
    rank = outputs
    geometry = attributes(node)
    (vertical, horizontal), (top, left) = geometry["strides"], geometry["pads"][:2]
    chain = Chain(node)
    chain.append("input", normal(random, (rank, inputs, 1, 1), inputs**-0.5))
    column = normal(random, (rank, 1, 3, 1), 3**-0.5)
    chain.append("column", column, strides=(vertical, 1), pads=(top, 0), groups=rank)
    row = normal(random, (rank, 1, 1, 3), 3**-0.5)
    chain.append("row", row, strides=(1, horizontal), pads=(0, left), groups=rank)
    deviation = np.linalg.norm(kernel) / math.sqrt(outputs * rank)
    chain.append("output", normal(random, (outputs, rank, 1, 1), deviation), bias=node.input[2], last=True)
    return chain


def factorised(model, name, factors):
    """`model` with every 3x3 convolution of one group replaced by `factors(random, node, kernel)`."""
    random = generator(name)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        kernel = numpy_helper.to_array(weights[node.input[1]]) if node.op_type == "Conv" else None
        if kernel is None or kernel.shape[2:] != (3, 3) or attributes(node).get("group", 1) != 1:
            nodes.append(node)
            continue
        if len(node.input) < 3:
            raise SystemExit(f"{node.name} has no bias; fold the network's BatchNormalization first")
        chain = factors(random, node, kernel)
        nodes.extend(chain.nodes)
        del weights[node.input[1]]
        weights.update((tensor.name, tensor) for tensor in chain.weights)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.graph.name = name
    del result.graph.node[:], result.graph.initializer[:], result.graph.value_info[:]
    result.graph.node.extend(nodes)
    result.graph.initializer.extend(weights.values())
    return result


def rounded_rank(channels):
    """0.35 of the channels, to the nearest multiple of 16: whole vectors on every processor."""
    return 16 * max(1, round(0.35 * channels / 16))


def odd_rank(channels):
    """0.35 of the channels: 22, 45, 90, 179, none of which is a multiple of 4."""
    return round(0.35 * channels)


def multiply_accumulates(model):
    """Multiply-accumulates of convolutions and fully connected layers for one image."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in [*inferred.value_info, *inferred.output]
    }
    weights = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    total = 0
    for node in inferred.node:
        if node.op_type == "Conv":
            total += math.prod(weights[node.input[1]]) * math.prod(shapes[node.output[0]][2:])
        elif node.op_type == "Gemm":
            total += math.prod(weights[node.input[1]])
    return total


def networks(path):
    """Functions that make each network, by name; `path` is a ResNet-18 to factorise, or none."""

    def original():
        return onnx.load(path) if path else resnet18()

    return {
        "resnet18": resnet18,
        "resnet50": resnet50,
        "googlenet": googlenet,
        "alexnet": alexnet,
        "resnet20": resnet20,
        "resnet18-tucker": lambda: factorised(
            original(), "resnet18-tucker", lambda *layer: tucker(*layer, rounded_rank)
        ),
        "resnet18-tucker-odd": lambda: factorised(
            original(), "resnet18-tucker-odd", lambda *layer: tucker(*layer, odd_rank)
        ),
        "resnet18-cp": lambda: factorised(original(), "resnet18-cp", canonical_polyadic),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="where to write NAME.onnx")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(networks(None))} (all)")
    parser.add_argument("--resnet18", type=pathlib.Path, metavar="FILE", help="factorise this ResNet-18")
    arguments = parser.parse_args()
    makers = networks(arguments.resnet18)
    if unknown := [name for name in arguments.names if name not in makers]:
        parser.error(f"no network is called {', '.join(unknown)}; there are {', '.join(makers)}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or makers:
        model = makers[name]()
        onnx.checker.check_model(model, full_check=True)
        path = arguments.folder / f"{name}.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        floats = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
        parameters = sum(math.prod(tensor.dims) for tensor in floats)
        print(f"{path}: {parameters:,} parameters, {multiply_accumulates(model):,} multiply-accumulates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
