#!/usr/bin/env python3
"""Draft Tests/Conformance/passing.txt and excluded.txt from ONNX's backend test suite.

    tools/setup-python.sh test
    .venv-test/bin/python tools/draft-conformance.py [FOLDER]

FOLDER is the suite, by default where Debian's libonnx-testdata puts it. A case with an operator that Martlet does not have
is excluded with the reason `operator X`; every other one is put among those that should pass. Reasons that a person wrote into
excluded.txt stay as they are. The tests then say which cases of the draft fail: mend what makes them fail, or move them by
hand and write down why.
"""

import pathlib
import sys

import onnx

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = ROOT / "Tests" / "Conformance"
PARTS = ["node", "pytorch-converted", "pytorch-operator"]
OPERATORS = set(
    """Conv BatchNormalization Relu LeakyRelu Clip Sigmoid HardSigmoid HardSwish Tanh PRelu MaxPool AveragePool
    GlobalAveragePool GlobalMaxPool ReduceMean Add Sub Mul Div Sum Concat Split Gemm MatMul Flatten Reshape Squeeze Unsqueeze
    Transpose Softmax LogSoftmax LRN Dropout Identity Constant ConstantOfShape Shape Gather Slice Cast Pad Expand Equal
    Where QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul ConvInteger MatMulInteger""".split()
)

PASSING = """# The cases of ONNX's backend test suite (Debian's libonnx-testdata) that Martlet passes: read as stored, written and
# read again, and simplified, at the suite's own tolerance. The tests run all of them.
"""
EXCLUDED = """# The cases of ONNX's backend test suite that Martlet does not pass, each with its reason. The tests run them too:
# one that passes does not belong here.
"""


def reasons():
    result = {}
    path = LISTS / "excluded.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(":")
            result[name.strip()] = reason.strip()
    return result


def operators(graph):
    return {f"{node.domain}.{node.op_type}" if node.domain else node.op_type for node in graph.node}


def main():
    suite = pathlib.Path(
        sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/python3/dist-packages/onnx/backend/test/data"
    )
    known = reasons()
    passing, excluded = [], []
    for part in PARTS:
        for path in sorted((suite / part).glob("*/model.onnx")):
            name = f"{part}/{path.parent.name}"
            graph = onnx.load(str(path), load_external_data=False).graph
            foreign = sorted(operators(graph) - OPERATORS)
            if foreign:
                excluded.append(f"{name}: operator {', '.join(foreign)}")
            elif name in known and not known[name].startswith("operator "):
                excluded.append(f"{name}: {known[name]}")
            else:
                passing.append(name)
    LISTS.mkdir(parents=True, exist_ok=True)
    (LISTS / "passing.txt").write_text(PASSING + "\n".join(passing) + "\n")
    (LISTS / "excluded.txt").write_text(EXCLUDED + "\n".join(excluded) + "\n")
    print(f"{len(passing)} to pass, {len(excluded)} excluded")


if __name__ == "__main__":
    main()
