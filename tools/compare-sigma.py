#!/usr/bin/env python3
"""Compare what gathering Sigma costs in Martlet and, the plain way, in PyTorch: unfold, then addmm.

    tools/setup-python.sh peers
    swift build -c release --product martlet
    .venv-peers/bin/python tools/compare-sigma.py NETWORK.onnx [--threads 1] [--repetitions 3]
    .venv-peers/bin/python tools/compare-sigma.py --make-resnet50 resnet50.onnx

PyTorch gets the input of every convolution and fully connected layer for nothing (noise of the right shape) and is timed
on `sigma += unfold(x) unfold(x)^T` alone, in single precision, image by image and eight images at a time; the faster
counts, layer by layer. Martlet is timed by `martlet sigma cost`. Both take turns, so that the machine is the same for
both. The ratio is that of one image's sums, all layers. Extents that the network leaves open are 224.

--make-resnet50 writes a ResNet-50 (v1.5) with random weights: times do not depend on them.
"""

import argparse
import json
import pathlib
import subprocess
import time

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent


def make_resnet50(path):
    random = numpy.random.default_rng(0)
    nodes, constants = [], []

    def convolution(x, inputs, outputs, kernel, stride=1, relu=True):
        name = f"conv{len(constants)}"
        weight = random.standard_normal((outputs, inputs, kernel, kernel)) * (2 / (inputs * kernel * kernel)) ** 0.5
        constants.append(numpy_helper.from_array(weight.astype(numpy.float32), name + ".weight"))
        nodes.append(
            helper.make_node(
                "Conv", [x, name + ".weight"], [name], name=name, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                pads=[kernel // 2] * 4))
        return node("Relu", [name]) if relu else name

    def node(kind, inputs, **attributes):
        output = f"{kind.lower()}{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    x = convolution("input", 3, 64, 7, 2)
    x = node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = convolution(x, channels, width, 1)
            y = convolution(y, width, width, 3, stride)
            y = convolution(y, width, 4 * width, 1, relu=False)
            if block == 0:
                x = convolution(x, channels, 4 * width, 1, stride, relu=False)
            x = node("Relu", [node("Add", [x, y])])
            channels = 4 * width
    x = node("Flatten", [node("GlobalAveragePool", [x])])
    weight = (random.standard_normal((1000, channels)) * 0.01).astype(numpy.float32)
    constants.append(numpy_helper.from_array(weight, "fc.weight"))
    nodes.append(helper.make_node("Gemm", [x, "fc.weight"], ["logits"], name="fc", transB=1))
    graph = helper.make_graph(
        nodes, "resnet50", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def layers(path):
    """Name, input shape [C, H, W] (or [C]) and the arguments of unfold of every layer with constant weights."""
    model = onnx.load(path)
    for value in model.graph.input:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.HasField("dim_value"):
                dimension.dim_value = 1 if axis == 0 else 224
    model = onnx.shape_inference.infer_shapes(model)
    shapes = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in list(model.graph.value_info) + list(model.graph.input)
    }
    weights = {constant.name: list(constant.dims) for constant in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul") or len(node.input) < 2 or node.input[1] not in weights:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        shape = shapes[node.input[0]]
        if node.op_type != "Conv":
            yield node.name, shape[1:], None
            continue
        kernel = weights[node.input[1]][2:]
        pads = attributes.get("pads", [0] * 2 * len(kernel))
        assert attributes.get("group", 1) == 1 and pads[: len(kernel)] == pads[len(kernel):], node.name
        yield node.name, shape[1:], {
            "kernel_size": kernel, "stride": attributes.get("strides", [1] * len(kernel)),
            "padding": pads[: len(kernel)], "dilation": attributes.get("dilations", [1] * len(kernel))}


def pytorch(path, threads, repetitions):
    """Milliseconds an image, by layer, of unfold and addmm."""
    import torch

    torch.set_num_threads(threads)
    times = {}
    with torch.inference_mode():
        for name, shape, window in layers(path):
            best = float("inf")
            for images in (1, 8):
                x = torch.rand(images, *shape)

                def patches():
                    if window is None:
                        return x.reshape(-1, shape[-1]).T
                    if window["kernel_size"] == [1, 1] and window["padding"] == [0, 0]:
                        y, z = window["stride"]
                        return x[:, :, ::y, ::z].transpose(0, 1).reshape(shape[0], -1)
                    unfolded = torch.nn.functional.unfold(x, **window)
                    return unfolded[0] if images == 1 else unfolded.transpose(0, 1).reshape(unfolded.shape[1], -1)

                size = patches().shape[0]
                sigma = torch.zeros(size, size)
                for _ in range(repetitions):
                    start = time.perf_counter()
                    u = patches()
                    sigma.addmm_(u, u.T)
                    best = min(best, (time.perf_counter() - start) / images)
            times[name] = best * 1e3
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--make-resnet50", metavar="FILE")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    arguments = parser.parse_args()
    if arguments.make_resnet50:
        make_resnet50(arguments.make_resnet50)
    if not arguments.network:
        return
    sums, plain = [], []
    for _ in range(2):
        command = [
            arguments.martlet, "sigma", "cost", arguments.network, "--json", "--threads",
            str(arguments.threads), "--repetitions", str(arguments.repetitions)]
        cost = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        sums.append((sum(layer["milliseconds"][layer["chosen"]] for layer in cost["layers"]), cost))
        plain.append(sum(pytorch(arguments.network, arguments.threads, arguments.repetitions).values()))
    (martlet, cost), unfolded = min(sums, key=lambda pair: pair[0]), min(plain)
    print(f"network    {arguments.network}, {arguments.threads} thread(s)")
    print(f"PyTorch    {unfolded:8.1f} ms an image to unfold and multiply, all layers")
    print(f"Martlet    {martlet:8.1f} ms an image for the sums, all layers; ratio {martlet / unfolded:.3f}")
    print(f"           {cost['forward_ms']:8.1f} ms an image to run the network, {cost['total_ms']:.1f} ms with the sums")
    over = cost["total_ms"] - cost["forward_ms"]
    print(f"           {over:8.1f} ms an image more than running the network; ratio {over / unfolded:.3f}")
    print(f"           {cost['peak_bytes'] / 2**20:8.0f} MiB of memory at most")


if __name__ == "__main__":
    main()
