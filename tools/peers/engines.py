"""The engines: how each gets at a network, and how it is set to single precision and a number of threads.

`convert` runs once and may write another form of the network. `load_library`, `open` and the callable that `open`
returns run in a process of their own, worker.py, which times them. Nothing is imported before it is needed, since that
is timed too.
"""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

from peers.failure import PATIENCE, Failure, last_line


class ONNXRuntime:
    name = "onnxruntime"
    title = "ONNX Runtime"
    distribution = "onnxruntime"
    converter = None
    reads_quantized = True

    def convert(self, network, folder):
        return network.path

    def load_library(self):
        import onnxruntime

        self.library = onnxruntime

    def open(self, file, network, batch, threads):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = self.library.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run([network.output], {network.input: x})[0]


class OpenVINO:
    name = "openvino"
    title = "OpenVINO"
    distribution = "openvino"
    converter = None
    reads_quantized = True

    def convert(self, network, folder):
        return network.path

    def load_library(self):
        import openvino

        self.library = openvino

    def open(self, file, network, batch, threads):
        model = self.library.Core().read_model(file)
        model.reshape(list(network.shape(batch)))
        properties = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = self.library.compile_model(model, "CPU", properties)
        request = compiled.create_infer_request()

        def run(x):
            request.set_input_tensor(self.library.Tensor(x, shared_memory=True))
            request.infer()
            return request.get_output_tensor().data

        return run


class NCNN:
    """Reads what pnnx makes of the ONNX file. It takes one image at a time, so a batch is a loop."""

    name = "ncnn"
    title = "ncnn"
    distribution = "ncnn"
    converter = "pnnx"
    reads_quantized = False

    def convert(self, network, folder):
        from peers import network as networks

        source = pathlib.Path(folder, f"{network.name}.ncnn.onnx")
        networks.without_strided_slices(network.path, source)
        stem = pathlib.Path(folder, f"{network.name}_ncnn")
        shape = ",".join(map(str, network.shape(1)))
        names = {"ncnnparam": f"{stem}.param", "ncnnbin": f"{stem}.bin"}
        others = {key: f"{stem}.{key}" for key in ("pnnxparam", "pnnxbin", "pnnxpy", "ncnnpy", "pnnxonnx")}
        arguments = [f"{key}={value}" for key, value in {**names, **others}.items()]
        output = call([tool(self.converter), str(source), f"inputshape=[{shape}]", "fp16=0", *arguments], folder)
        # pnnx leaves out what it cannot say in ncnn, and succeeds.
        complaints = [line for line in output.splitlines() if "not supported" in line or "not known" in line]
        if complaints:
            raise Failure("pnnx: " + complaints[0])
        return str(stem)

    def load_library(self):
        import ncnn

        self.library = ncnn

    def open(self, file, network, batch, threads):
        import numpy

        net = self.library.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        if net.load_param(file + ".param") != 0 or net.load_model(file + ".bin") != 0:
            raise RuntimeError("the converted network does not load")

        def one(image):
            extractor = net.create_extractor()
            extractor.input("in0", self.library.Mat(image))
            status, y = extractor.extract("out0")
            if status != 0:
                raise RuntimeError(f"extract returned {status}")
            return numpy.array(y)

        return lambda x: numpy.stack([one(image) for image in x])


class MNN:
    """Reads what mnnconvert makes of the ONNX file."""

    name = "mnn"
    title = "MNN"
    distribution = "MNN"
    converter = "mnnconvert"
    reads_quantized = False

    def convert(self, network, folder):
        file = pathlib.Path(folder, f"{network.name}.mnn")
        arguments = ["-f", "ONNX", "--modelFile", network.path, "--MNNModel", str(file), "--bizCode", "none"]
        output = call([tool(self.converter), *arguments], folder)
        if not file.exists():
            raise Failure(f"mnnconvert: {last_line(output)}")
        return str(file)

    def load_library(self):
        import MNN

        self.library = MNN

    def open(self, file, network, batch, threads):
        import numpy

        settings = {"backend": "CPU", "numThread": threads, "precision": "high"}
        manager = self.library.nn.create_runtime_manager((settings,))
        module = self.library.nn.load_module_from_file(
            file, [network.input], [network.output], runtime_manager=manager
        )
        expression = self.library.expr

        def run(x):
            value = expression.const(x, list(x.shape), expression.NCHW)
            return numpy.array(module.forward([value])[0].read())

        return run


PEERS = {engine.name: engine for engine in (ONNXRuntime(), OpenVINO(), NCNN(), MNN())}


def version(engine):
    try:
        return importlib.metadata.version(engine.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def tool(name):
    """A program that a package put beside this Python."""
    return os.path.join(os.path.dirname(sys.executable), name)


def call(command, folder):
    try:
        answer = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{os.path.basename(command[0])}: {error}") from error
    if answer.returncode != 0:
        raise Failure(f"{os.path.basename(command[0])}: {last_line(answer.stdout)}")
    return answer.stdout
