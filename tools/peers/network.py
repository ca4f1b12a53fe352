"""What the measurements need to know of a network, and the form of it that ncnn can read."""

import dataclasses
import pathlib

# onnx and numpy are imported where they are used: the workers read this file too, and their imports are timed.


@dataclasses.dataclass(frozen=True)
class Network:
    """An ONNX file with one batch of images as its input and one array as its output."""

    path: str
    title: str
    input: str
    output: str
    image: tuple  # channels, height, width
    quantized: bool

    @property
    def name(self):
        return pathlib.Path(self.path).stem

    def shape(self, batch):
        return (batch, *self.image)


def read(path, title=None):
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ValueError(f"{path} has {len(inputs)} inputs and {len(graph.output)} outputs; one of each can be timed")
    image = tuple(dimension.dim_value for dimension in inputs[0].type.tensor_type.shape.dim)[1:]
    if len(image) != 3 or 0 in image:
        raise ValueError(f"{path} takes {inputs[0].name} of {image}; a fixed [N, C, H, W] can be timed")
    return Network(
        path=str(pathlib.Path(path).resolve()),
        title=title or pathlib.Path(path).stem,
        input=inputs[0].name,
        output=graph.output[0].name,
        image=image,
        quantized=any(node.op_type == "QuantizeLinear" for node in graph.node),
    )


def without_strided_slices(path, result):
    """Write a copy of the network at `path` in which max pooling with a window of one pixel takes every n-th row or
    column, where a Slice did. The values are the same, and ncnn has no Slice with steps."""
    import onnx
    from onnx import helper

    model = onnx.load(path)
    nodes = list(model.graph.node)
    constants = constant_values(model.graph)
    pools = {}  # the output of each pool made here -> its node
    for index, node in enumerate(nodes):
        strides = slice_strides(node, constants) if node.op_type == "Slice" else None
        if strides is None:
            continue
        before = pools.get(node.input[0])
        x = node.input[0]
        if before is not None and sum(before.output[0] in other.input for other in nodes) == 1:
            # Rows by one Slice and columns by the next are one pooling.
            x = before.input[0]
            strides = [a * b for a, b in zip(strides, pool_strides(before), strict=True)]
        pool = helper.make_node(
            "MaxPool", [x], [node.output[0]], name=node.name, kernel_shape=[1, 1], strides=strides
        )
        nodes[index] = pools[node.output[0]] = pool
    # A pool whose work the next one took over has no readers left.
    read_values = {name for node in nodes for name in node.input} | {value.name for value in model.graph.output}
    nodes = [node for node in nodes if node.op_type != "MaxPool" or node.output[0] in read_values]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, result)


def constant_values(graph):
    """Small integer arrays that are known before the network runs, by name."""
    from onnx import TensorProto, numpy_helper

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
    integers = (TensorProto.INT32, TensorProto.INT64)
    return {
        name: numpy_helper.to_array(tensor).tolist() for name, tensor in tensors.items() if tensor.data_type in integers
    }


def slice_strides(node, constants):
    """The steps over rows and columns of a Slice that takes every n-th of them from first to last, else none."""
    operands = [constants.get(name) for name in node.input[1:]]
    if len(operands) != 4 or any(not isinstance(operand, list) for operand in operands):
        return None
    strides = [1, 1]
    for start, end, axis, step in zip(*operands, strict=True):
        # An end beyond every map means the last row, as exporters write it. Others might leave rows out.
        if start != 0 or step < 1 or axis not in (2, 3) or end < 1 << 16:
            return None
        strides[axis - 2] = step
    return strides if max(strides) > 1 else None


def pool_strides(pool):
    return next(list(attribute.ints) for attribute in pool.attribute if attribute.name == "strides")
