#!/usr/bin/env bash
# Run the kernels' tests, and a network, on processors that lack the newer instruction sets, emulated by qemu-user.
#
#     tools/test-older-processors.sh      # after swift build --build-tests; takes about half a minute
#
# Nehalem (2008) has SSE4.2 and no AVX: an AVX instruction outside the rooms for it, or a wrong choice of kernels, is an
# illegal instruction there. Haswell (2013) has AVX2 and no AVX-512.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $(uname -m) == x86_64 ]] || {
    echo "older processors: nothing to check on $(uname -m)"
    exit
}

TESTS=.build/debug/martletPackageTests.xctest
MARTLET=.build/debug/martlet
NETWORK=models/fashion-mnist-resnet.onnx

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The network's input, [1, 1, 28, 28], as .npy.
python3 - "$work/input.npy" <<'PYTHON'
import struct
import sys

header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
header += " " * (-(10 + len(header) + 1) % 64) + "\n"
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack("<784f", *(i * 37 % 101 / 50 - 1 for i in range(784))))
PYTHON

for processor in Nehalem Haswell; do
    case $processor in
    Nehalem) expected=baseline missing=avx2 ;;
    Haswell) expected=avx2 missing=avx512 ;;
    esac
    # qemu warns about features of the processor that have nothing to do with arithmetic.
    emulate() { qemu-x86_64 -cpu "$processor" "$@" 2> >(grep -v "TCG doesn't support" >&2); }

    if ! emulate "$TESTS" --testing-library swift-testing --filter MartletKernelsBaselineTests >"$work/log" 2>&1; then
        cat "$work/log"
        echo "$processor: the kernels' tests failed" >&2
        exit 1
    fi
    # The suites name the instruction set of each case: the newest that this processor has, and no newer one.
    grep -q -- "kernels → $expected" "$work/log" && ! grep -q -- "kernels → $missing" "$work/log" || {
        echo "$processor: the kernels tested are not those up to $expected" >&2
        exit 1
    }
    emulate "$MARTLET" inspect "$NETWORK" >/dev/null
    emulate "$MARTLET" run "$NETWORK" --input "$work/input.npy" --output "$work/output.npy" >/dev/null
    echo "$processor: the kernels up to $expected pass their tests, a network runs"
done
