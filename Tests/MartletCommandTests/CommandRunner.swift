import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Runs the built command as a person would.
struct CommandRunner {
    struct Result {
        var status: Int32
        var output: String
        var error: String

        /// The JSON object that was printed.
        func json() throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return try #require(object as? [String: Any])
        }
    }

    /// The command, built beside the tests.
    static let executable: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("martlet").path
    }()

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Runs `martlet` with these arguments in the folder.
    func martlet(_ arguments: String...) throws -> Result { try run(CommandRunner.executable, arguments) }

    /// Runs a script of the shell in the folder, `$MARTLET` being the command.
    func shell(_ script: String) throws -> Result { try run("/bin/sh", ["-c", script]) }

    private func run(_ executable: String, _ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.environment = ProcessInfo.processInfo.environment.merging(["MARTLET": CommandRunner.executable]) { $1 }
        // Files, not pipes: nothing can fill up and wait.
        let names = ["out", "err"].map {
            FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString).\($0)"
        }
        defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
        for name in names { try Data().write(to: URL(fileURLWithPath: name)) }
        process.standardOutput = FileHandle(forWritingAtPath: names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let texts = try names.map { String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self) }
        return Result(status: process.terminationStatus, output: texts[0], error: texts[1])
    }

    // MARK: Things to work on

    /// Writes a small classifier of 12x12 images that says how they are prepared.
    @discardableResult func network(_ name: String = "net.onnx", seed: UInt64 = 1, channels: Int = 3) throws -> String {
        var network = try SmallNetwork.residual(seed: seed, channels: channels)
        network[metadata: Model.preprocessingKey] = try Preprocessing(
            crop: .init(width: 12, height: 12), scale: 1.0 / 255, mean: [0.4], standardDeviation: [0.3],
            channels: channels == 1 ? .grey : .rgb
        ).json
        try ONNXWriter.write(network, to: folder.file(name))
        return name
    }

    /// Writes CIFAR-10 records, which the networks take cropped.
    @discardableResult func images(_ name: String = "images.bin", count: Int = 24, seed: UInt64 = 3) throws -> String {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.append(UInt8(generator.integer(0...3)))
            var value = 128
            for _ in 0..<3072 {
                value = max(0, min(255, value + generator.integer(-30...30)))
                bytes.append(UInt8(value))
            }
        }
        try OutputFile.write(bytes, to: folder.file(name))
        return name
    }
}
