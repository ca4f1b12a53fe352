#!/usr/bin/env bash
# The README's second command: set up, check the style and the floors, build with warnings as errors, run every test.
#
# Arguments go to `swift test`, for instance: tools/test.sh --filter MartletTensorsTests
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

tools/setup.sh
tools/setup-python.sh test

say "formatting"
swift format lint --strict --recursive --parallel Sources Tests Package.swift

say "generated kernels"
python3 tools/generate-strips.py --check

say "floors"
python3 tools/check-floors.py --self-test
python3 tools/check-floors.py

# Package.swift reads this variable and turns warnings into errors in Martlet's own targets, not in its dependencies.
export MARTLET_WARNINGS_AS_ERRORS=1

say "building, warnings as errors"
swift build --build-tests

say "documentation"
tools/check-documentation.sh

say "kernel symbols"
tools/check-kernel-symbols.sh --self-test
tools/check-kernel-symbols.sh

say "testing"
swift test --skip-build "$@"

if (($# == 0)); then
    say "older processors"
    tools/test-older-processors.sh

    say "Slurm"
    MARTLET=$PWD/.build/debug/martlet tools/test-slurm.sh
fi
