#!/usr/bin/env python3
"""Reference values for Martlet's decompositions, from SciPy and TensorLy.

    python3 -m venv .venv-oracle
    .venv-oracle/bin/pip install numpy scipy tensorly onnx
    .venv-oracle/bin/python tools/decomposition-oracle.py              # the tables in MartletDecompositionsTests
    .venv-oracle/bin/python tools/decomposition-oracle.py NETWORK.onnx # a network's ranks, ratios and errors

VBMF is written here from the paper (Nakajima et al., JMLR 2013) with SciPy's bounded minimiser; the Tucker-2 errors are
TensorLy's `partial_tucker` on the modes of outputs and inputs, squared and relative.
"""
import math
import sys

import numpy as np
from scipy.optimize import minimize_scalar


class SplitMix64:
    """The generator of the Swift tests, bit for bit."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def array(self, *shape):
        """Uniform in -1 ... 1, from the upper 53 bits."""
        count = math.prod(shape)
        return np.array([(self.next() >> 11) * 2.0**-52 - 1 for _ in range(count)]).reshape(shape)


def vbmf(matrix):
    """The rank and the noise variance of a matrix."""
    short, long = sorted(matrix.shape)
    squares = np.linalg.svd(matrix, compute_uv=False) ** 2
    alpha = short / long
    tau_limit = 2.5129 * math.sqrt(alpha)
    limit = (1 + tau_limit) * (1 + alpha / tau_limit)

    def energy(variance):
        x = squares / (long * variance)
        kept, noise = x[x > limit], x[x <= limit]
        shifted = kept - (1 + alpha)
        tau = 0.5 * (shifted + np.sqrt(shifted**2 - 4 * alpha))
        total = np.sum(noise - np.log(noise)) + np.sum(kept - tau)
        return total + np.sum(np.log((tau + 1) / kept)) + alpha * np.sum(np.log(tau / alpha + 1))

    first = max(0, min(math.ceil(short / (1 + alpha)) - 1, short - 1))
    lower = max(squares[first] / (long * limit), squares[first:].mean() / long)
    upper = squares.sum() / (short * long)
    found = minimize_scalar(energy, bounds=(lower, upper), method="bounded", options={"xatol": 1e-10 * upper})
    return int((squares > long * found.x * limit).sum()), found.x


def kernel_ranks(kernel):
    """VBMF ranks of the unfoldings along outputs and inputs."""
    outputs, inputs = kernel.shape[:2]
    unfolded = kernel.transpose(1, 0, 2, 3).reshape(inputs, -1)
    return vbmf(kernel.reshape(outputs, -1))[0], vbmf(unfolded)[0]


def tucker2_error(kernel, ranks, **options):
    """TensorLy's squared relative error."""
    from tensorly.decomposition import partial_tucker
    from tensorly.tenalg import multi_mode_dot

    (core, factors), _ = partial_tucker(kernel, rank=list(ranks), modes=[0, 1], init="svd", **options)
    difference = kernel - multi_mode_dot(core, factors, modes=[0, 1])
    return float((difference**2).sum() / (kernel**2).sum())


def print_tables():
    print("VBMF: rows, columns, rank of the signal, noise, seed -> rank, variance")
    for rows, columns, rank, noise, seed in [
        (40, 120, 5, 0.1, 1), (120, 40, 5, 0.1, 2), (64, 64, 10, 0.5, 3), (30, 400, 3, 1.0, 4), (50, 60, 0, 1.0, 5),
        (20, 2000, 12, 0.3, 6), (100, 130, 25, 0.2, 7),
    ]:
        random = SplitMix64(seed)
        signal = random.array(rows, rank) @ random.array(rank, columns)
        found, variance = vbmf(signal + noise * random.array(rows, columns))
        print(f"    ({rows}, {columns}, {rank}, {noise}, {seed}, {found}, {variance:.12g}),")

    print("Tucker-2: shape, ranks, seed -> TensorLy's error with its own tolerance, and at convergence")
    for shape, ranks, seed in [
        ((12, 8, 3, 3), (5, 4), 11), ((8, 12, 3, 3), (4, 5), 12), ((16, 10, 1, 5), (6, 3), 13),
        ((6, 9, 5, 5), (3, 7), 14), ((20, 20, 3, 1), (10, 10), 15),
    ]:
        kernel = SplitMix64(seed).array(*shape)
        default = tucker2_error(kernel, ranks)
        tight = tucker2_error(kernel, ranks, tol=1e-13, n_iter_max=5000)
        print(f"    ({list(shape)}, {ranks[0]}, {ranks[1]}, {seed}, {default:.12g}, {tight:.12g}),")


def print_network(path):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    total = sum(value.size for value in weights.values())
    layers = [node for node in model.graph.node if node.op_type == "Conv"][1:]
    layers = [(node.name, weights[node.input[1]].astype(float)) for node in layers]
    layers = [(name, kernel) for name, kernel in layers if kernel.shape[2] * kernel.shape[3] > 1]
    ranks = []
    for name, kernel in layers:
        ranks.append(kernel_ranks(kernel))
        half = [max(1, int(m - 0.5 * (m - r))) for m, r in zip(kernel.shape, ranks[-1])]
        error = tucker2_error(kernel, half)
        print(f"{name} {list(kernel.shape)} VBMF {ranks[-1]}, ratio 0.5 {half}, TensorLy's error {error:.8f}", flush=True)
    for ratio in [0.4, 0.5, 0.6, 0.7, 0.8]:
        for name, rounding in [("down", math.floor), ("nearest", round), ("up", math.ceil)]:
            count = total
            for (_, kernel), vbmf_ranks in zip(layers, ranks):
                t, s, h, w = kernel.shape
                rt, rs = [max(1, rounding(m - ratio * (m - r) + 1e-9)) for m, r in zip((t, s), vbmf_ranks)]
                count += t * rt + rt * rs * h * w + s * rs - t * s * h * w
            print(f"VBMF ratio {ratio}, rounded {name}: {total / count:.4f} times fewer parameters")


if __name__ == "__main__":
    print_network(sys.argv[1]) if len(sys.argv) > 1 else print_tables()
