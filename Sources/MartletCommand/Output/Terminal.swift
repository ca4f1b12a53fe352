import ArgumentParser
import Foundation
import Martlet

/// Runs a command's body; an error becomes a message on standard error and exit code 1.
func reportingErrors(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let error as ExitCode {
        throw error
    } catch let error as ValidationError {
        throw error
    } catch {
        Terminal.clearProgress()
        Terminal.writeError("error: \(error)\n")
        if let remedy = (error as? any MartletError)?.remedy { Terminal.writeError("  \(remedy)\n") }
        throw ExitCode(1)
    }
}

/// Standard output and standard error.
enum Terminal {
    /// Whether a person looks at standard error.
    static let isInteractive = isatty(STDERR_FILENO) == 1

    static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// Removes a line of progress.
    static func clearProgress() { if isInteractive { writeError("\r\u{1B}[K") } }

    /// Prints a value as JSON with sorted keys.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
