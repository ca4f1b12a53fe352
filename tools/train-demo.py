#!/usr/bin/env python3
"""Train the demonstration network of `models/` on Fashion-MNIST and write it as ONNX.

A residual network of 14 convolutions for 1x28x28 images, trained on 55,000 of the 60,000 training images. The other 5,000
are the validation set; every choice (architecture, recipe) was made on it or beforehand, none on the test set, which
is read once, after the file is written, with ONNX Runtime rather than PyTorch.

    sudo apt-get install dataset-fashion-mnist python3-venv
    python3 -m venv .venv-train
    .venv-train/bin/pip install torch onnx onnxruntime numpy
    .venv-train/bin/python tools/train-demo.py

The seed fixes the split, the initial weights, the order of the images and their augmentation. Other versions of
PyTorch, or another processor, round differently and end at a slightly different network.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import struct
import time

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")

# Mean and standard deviation of the pixels of the 60,000 training images, after division by 255.
MEAN = 0.2860
STD = 0.3530


def read_idx(path):
    """The array in an IDX file of unsigned bytes, compressed with gzip."""
    with gzip.open(path, "rb") as file:
        zero, element, rank = struct.unpack(">HBB", file.read(4))
        if zero != 0 or element != 8:
            raise ValueError(f"{path} is not an IDX file of bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        return np.frombuffer(file.read(), dtype=np.uint8).reshape(shape)


def read_split(name):
    images = read_idx(DATA / f"{name}-images-idx3-ubyte.gz")
    labels = read_idx(DATA / f"{name}-labels-idx1-ubyte.gz")
    return images[:, None], labels.astype(np.int64)


def normalise(images):
    return (images.astype(np.float32) / np.float32(255) - np.float32(MEAN)) / np.float32(STD)


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + self.shortcut(x))


class ResidualNetwork(nn.Module):
    """A 3x3 stem, stages of basic blocks that each halve the map, global average pooling, one linear layer."""

    def __init__(self, stem, widths, blocks, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        layers = []
        inputs = stem
        for width, count in zip(widths, blocks, strict=True):
            for index in range(count):
                layers.append(Block(inputs, width, 2 if index == 0 else 1))
                inputs = width
        self.layers = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layers(x)
        x = F.adaptive_avg_pool2d(x, 1)
        return self.fc(torch.flatten(x, 1))


def augment(images, generator):
    """Mirror half of the images and move each by up to two pixels, black coming in at the edges."""
    count = images.shape[0]
    mirrored = torch.rand(count, generator=generator) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    black = (0 - MEAN) / STD
    padded = F.pad(images, (2, 2, 2, 2), value=black)
    rows = torch.randint(0, 5, (count,), generator=generator)[:, None] + torch.arange(28)
    columns = torch.randint(0, 5, (count,), generator=generator)[:, None] + torch.arange(28)
    index = torch.arange(count)[:, None, None]
    return padded[index, 0, rows[:, :, None], columns[:, None, :]][:, None].contiguous()


def accuracy(network, images, labels, batch=500):
    network.eval()
    hits = 0
    with torch.inference_mode():
        for start in range(0, len(labels), batch):
            logits = network(images[start : start + batch].contiguous(memory_format=torch.channels_last))
            hits += int((logits.argmax(1) == labels[start : start + batch]).sum())
    return hits / len(labels)


def train(arguments):
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    images, labels = read_split("train")
    order = np.random.default_rng(arguments.seed).permutation(len(labels))
    images = torch.from_numpy(normalise(images[order]))
    labels = torch.from_numpy(labels[order])
    held_images, held_labels = images[55_000:], labels[55_000:]
    images, labels = images[:55_000], labels[:55_000]

    network = ResidualNetwork(arguments.stem, arguments.widths, arguments.blocks)
    network = network.to(memory_format=torch.channels_last)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{parameters} parameters, seed {arguments.seed}", flush=True)
    # Weight decay belongs to the kernels: on BatchNorm's scale and on biases it only slows training.
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": kernels, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}],
        lr=arguments.learning_rate,
        momentum=0.9,
        nesterov=True,
    )
    steps = len(labels) // arguments.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, arguments.learning_rate, total_steps=steps * arguments.epochs, pct_start=0.2, final_div_factor=1e3
    )
    generator = torch.Generator().manual_seed(arguments.seed)
    start = time.monotonic()
    for epoch in range(arguments.epochs):
        network.train()
        order = torch.randperm(len(labels), generator=generator)
        total = 0.0
        for step in range(steps):
            picked = order[step * arguments.batch : (step + 1) * arguments.batch]
            batch = augment(images[picked], generator).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
                loss = F.cross_entropy(network(batch), labels[picked], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if arguments.time_steps and step == arguments.time_steps:
                print(f"{(time.monotonic() - start) / step * steps:.0f} s an epoch")
                return None
        print(
            f"epoch {epoch + 1:2d}/{arguments.epochs}: loss {total / steps:.4f},"
            f" validation top-1 {100 * accuracy(network, held_images, held_labels):.2f} %,"
            f" {time.monotonic() - start:.0f} s",
            flush=True,
        )
    return network.eval()


def export(network, path):
    """Write the network as ONNX, opset 17, its BatchNormalization nodes as they are (folding is the reader's task)."""
    network = network.to(memory_format=torch.contiguous_format)
    torch.onnx.export(
        network,
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        dynamo=False,
        opset_version=17,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
        do_constant_folding=False,
        # With EVAL the exporter fuses every BatchNorm into its convolution; PRESERVE leaves the network as it is,
        # and the network is in evaluation mode.
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    if not any(node.op_type == "BatchNormalization" for node in model.graph.node):
        raise SystemExit("the exporter folded BatchNormalization away")
    model.doc_string = "Residual network for Fashion-MNIST, trained by tools/train-demo.py"
    # Martlet's own form: Hugging Face's has no word for grey images.
    preprocessing = {
        "channels": "grey",
        "interpolation": "bilinear",
        "martlet_preprocessing": 1,
        "mean": [MEAN],
        "resize": {"height": 28, "width": 28},
        "scale": 1 / 255,
        "std": [STD],
    }
    onnx.helper.set_model_props(
        model, {"martlet.preprocessing": json.dumps(preprocessing, separators=(",", ":"), sort_keys=True)}
    )
    onnx.save(model, str(path))


def check(path):
    """Top-1 on the 10,000 test images, from the file, with ONNX Runtime."""
    import onnxruntime

    images, labels = read_split("t10k")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    images = normalise(images)
    logits = np.concatenate(
        [session.run(["logits"], {"input": images[i : i + 500]})[0] for i in range(0, len(labels), 500)]
    )
    hits = int((logits.argmax(1) == labels).sum())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: test top-1 {hits / len(labels):.2%} ({hits} of {len(labels)})")
    print(f"{path.stat().st_size} bytes, SHA-256 {digest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "models" / "fashion-mnist-resnet.onnx")
    parser.add_argument("--check", action="store_true", help="only evaluate the file that is there")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stem", type=int, default=16)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 96])
    parser.add_argument("--blocks", type=int, nargs="+", default=[2, 2, 1])
    parser.add_argument("--bfloat16", action="store_true", help="compute in bfloat16, weights stay float32")
    parser.add_argument("--time-steps", type=int, default=0, help="time this many steps and stop")
    arguments = parser.parse_args()
    if not arguments.check:
        network = train(arguments)
        if network is None:
            return
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        export(network, arguments.output)
    check(arguments.output)


if __name__ == "__main__":
    main()
