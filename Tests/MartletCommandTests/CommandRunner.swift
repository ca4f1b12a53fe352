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
    func martlet(_ arguments: String...) throws -> Result { try run(arguments) }

    /// The same of a list of arguments.
    func run(_ arguments: [String]) throws -> Result { try run(CommandRunner.executable, arguments) }

    /// Runs a script of the shell in the folder, `$MARTLET` being the command.
    func shell(_ script: String) throws -> Result { try run("/bin/sh", ["-c", script]) }

    /// Not by Foundation's Process: its children inherit blocked signals from the test's thread, so that they cannot be
    /// interrupted, and now and then it misses that one has ended.
    private func run(_ executable: String, _ arguments: [String]) throws -> Result {
        // Files, not pipes: nothing can fill up and wait.
        let names = ["out", "err"].map {
            FileManager.default.temporaryDirectory.path + "/martlet-\(UUID().uuidString).\($0)"
        }
        defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
        let environment = ProcessInfo.processInfo.environment.merging(["MARTLET": CommandRunner.executable]) { $1 }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, names[0], O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, names[1], O_WRONLY | O_CREAT, 0o600)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // `env` changes the folder: glibc's own way to do so is hidden from Swift.
        let env = "/usr/bin/env"
        var words = ([env, "-C", folder.path, executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, env, &actions, &attributes, &words, &variables)
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EINVAL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
        }
        // The number that a shell shows: what ended it, or 128 and the signal.
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        let texts = try names.map { String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self) }
        return Result(status: code, output: texts[0], error: texts[1])
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
