import Foundation
import MartletInference
import MartletNetworks
import MartletParallelism
import MartletTensors
import SwiftProtobuf

@testable import MartletONNXFormat

/// One case of ONNX's own backend test suite: a model, its inputs, and what must come out.
struct ConformanceCase {
    /// Why a case does not pass.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where Debian's `libonnx-testdata` puts the suite; the environment variable names another place.
    static let suite =
        ProcessInfo.processInfo.environment["MARTLET_ONNX_TESTS"]
        ?? "/usr/lib/python3/dist-packages/onnx/backend/test/data"

    /// The parts of the suite that are about operators.
    static let parts = ["node", "pytorch-converted", "pytorch-operator"]

    private static let pool = ThreadPool()

    /// The part and the case, `node/test_add`.
    let name: String

    /// The names of all cases of a part on this machine; `nil` if the suite is not there.
    static func names(of part: String) -> Set<String>? {
        guard let cases = try? FileManager.default.contentsOfDirectory(atPath: "\(suite)/\(part)") else { return nil }
        return Set(
            cases.filter { FileManager.default.fileExists(atPath: "\(suite)/\(part)/\($0)/model.onnx") }
                .map { "\(part)/\($0)" })
    }

    private var folder: String { "\(ConformanceCase.suite)/\(name)" }

    /// The network as its file has it.
    func network() throws -> Network { try ONNXReader.read(path: "\(folder)/model.onnx") }

    /// Runs a form of the case's network, and throws unless every output is as the suite has it.
    func check(_ network: Network) throws {
        let inputs = try tensors("input")
        if inputs.count != network.inputs.count {
            throw Failure(description: "\(inputs.count) inputs on disk for \(network.inputs.map(\.name))")
        }
        let executor = try Executor(network: network, pool: ConformanceCase.pool)
        let found = try executor.run(
            Dictionary(uniqueKeysWithValues: zip(network.inputs.map(\.name), inputs)))
        let expected = try tensors("output")
        if expected.count != network.outputs.count {
            throw Failure(description: "\(expected.count) outputs on disk for \(network.outputs.map(\.name))")
        }
        for (output, expected) in zip(network.outputs, expected) {
            guard let found = found[output.name] else { throw Failure(description: "no output '\(output.name)'") }
            if let difference = ConformanceCase.difference(found, expected) {
                throw Failure(description: "output '\(output.name)': \(difference)")
            }
        }
    }

    /// Whether single precision, which simplification turns everything into, keeps the types of inputs and outputs.
    func staysSingle(_ network: Network) -> Bool {
        (network.inputs + network.outputs).allSatisfy {
            $0.type.elementType != .float16 && $0.type.elementType != .float64
        }
    }

    private func tensors(_ role: String) throws -> [Tensor] {
        var result: [Tensor] = []
        while true {
            let path = "\(folder)/test_data_set_0/\(role)_\(result.count).pb"
            guard FileManager.default.fileExists(atPath: path) else { return result }
            let proto = try TensorProto(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
            result.append(try TensorReader(file: path).tensor(proto))
        }
    }

    /// The suite's own comparison: type, shape, and |found - expected| <= 1e-7 + 1e-3 |expected|, NaN equal to NaN.
    private static func difference(_ found: Tensor, _ expected: Tensor) -> String? {
        if found.elementType != expected.elementType || found.shape != expected.shape {
            return "\(found.elementType) \(found.shape) instead of \(expected.elementType) \(expected.shape)"
        }
        if !found.elementType.isFloatingPoint { return found == expected ? nil : "other elements" }
        guard let a = try? found.converted(to: .float64).elements(Double.self),
            let b = try? expected.converted(to: .float64).elements(Double.self)
        else { return "no numbers" }
        for (index, (a, b)) in zip(a, b).enumerated() where !(a == b || a.isNaN && b.isNaN) {
            if !(abs(a - b) <= 1e-7 + 1e-3 * abs(b)) { return "\(a) instead of \(b) at \(index)" }
        }
        return nil
    }
}
