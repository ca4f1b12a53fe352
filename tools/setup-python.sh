#!/usr/bin/env bash
# Make the Python environment .venv-NAME from tools/requirements/NAME.txt (PyPI). Safe to run again.
#
#     tools/setup-python.sh test      # oracles of the tests: numpy, onnx, onnxruntime, pillow
#     tools/setup-python.sh peers     # other runtimes: ONNX Runtime, OpenVINO, ncnn, MNN, PyTorch
#
# Martlet itself never runs Python; these are for tests and for the scripts in this folder.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'setup-python: %s\n' "$@" >&2
    exit 1
}

(($# == 1)) || fail "give the name of an environment, one of: $(cd tools/requirements && ls | sed 's/\.txt$//' | xargs)"
name=$1
requirements=tools/requirements/$name.txt
environment=.venv-$name
[[ -f $requirements ]] || fail "$requirements does not exist."

# The stamp holds the requirements that were installed: nothing to do while they stay the same.
if [[ -x $environment/bin/python ]] && cmp -s "$requirements" "$environment/installed.txt"; then
    printf '== %s: all there\n' "$environment"
    exit 0
fi

command -v python3 >/dev/null 2>&1 || fail "python3 was not found; run tools/setup.sh first."
printf '== %s: installing %s\n' "$environment" "$requirements"
rm -f "$environment/installed.txt"
python3 -m venv "$environment" || fail "python3 -m venv failed; run tools/setup.sh, which installs python3-venv."
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 5 \
    -r "$requirements" </dev/null
cp "$requirements" "$environment/installed.txt"
