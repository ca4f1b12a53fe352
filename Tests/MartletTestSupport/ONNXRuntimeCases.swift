import Foundation
import MartletTensors

/// Networks in files, with what Martlet computes, to be held to the ONNX checker and to ONNX Runtime by `tools/check-onnx.py`.
public final class ONNXRuntimeCases {
    private struct Case: Encodable {
        struct Value: Encodable {
            var name: String
            var shape: [Int]
            var file: String
        }
        var model: String
        var inputs: [Value]
        var outputs: [Value]
        var metadata: [[String]]?
        var tolerance: Double?
    }

    /// Where the networks are.
    public let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
    private var cases: [Case] = []

    /// An empty folder.
    public init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Adds a network that lies in the folder.
    /// - Parameters:
    ///   - model: The name of its file.
    ///   - inputs: What it is to be run on, in single precision.
    ///   - outputs: What Martlet computed, in the order of the network's outputs.
    ///   - metadata: What the file must say of itself, if that matters.
    ///   - tolerance: How far off the other may be, relative to the largest element; 1e-4 unless told.
    public func add(
        _ model: String, inputs: [(name: String, value: Tensor)], outputs: [(name: String, value: Tensor)],
        metadata: [[String]]? = nil, tolerance: Double? = nil
    ) throws {
        func values(_ tensors: [(name: String, value: Tensor)], _ role: String) throws -> [Case.Value] {
            try tensors.enumerated().map { index, entry in
                let file = "\(model).\(role)\(index).f32"
                try entry.value.withUnsafeBytes { Data($0) }.write(to: folder.appendingPathComponent(file))
                return Case.Value(name: entry.name, shape: entry.value.shape.extents, file: file)
            }
        }
        cases.append(
            Case(
                model: model, inputs: try values(inputs, "input"), outputs: try values(outputs, "output"),
                metadata: metadata, tolerance: tolerance))
    }

    /// What the script says, and whether it found nothing wrong; `nil` without a Python to run it with.
    public func check() throws -> (text: String, isClean: Bool)? {
        let python = URL(fileURLWithPath: Repository.root + "/.venv-test/bin/python")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            print("skipped: no .venv-test (tools/setup-python.sh test), so no ONNX checker and no ONNX Runtime")
            return nil
        }
        try JSONEncoder().encode(cases).write(to: folder.appendingPathComponent("cases.json"))
        let process = Process()
        process.executableURL = python
        process.arguments = [Repository.root + "/tools/check-onnx.py", folder.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (text, process.terminationStatus == 0)
    }
}
