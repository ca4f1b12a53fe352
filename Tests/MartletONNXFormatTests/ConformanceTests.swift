import Foundation
import MartletNetworks
import MartletTensors
import Testing

@testable import MartletONNXFormat

/// ONNX's backend test suite against the two lists in `Tests/Conformance`: what passes, and what does not and why.
@Suite struct ConformanceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Conformance")

    /// The lines of a list that are neither empty nor comments.
    private static func lines(_ file: String) throws -> [String] {
        try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    private static func passing(_ part: String) throws -> [String] {
        try lines("passing.txt").filter { $0.hasPrefix("\(part)/") }
    }

    private static func excluded(_ part: String) throws -> [(name: String, reason: String)] {
        try lines("excluded.txt").filter { $0.hasPrefix("\(part)/") }.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
    }

    /// The suite's cases, or `nil` with a line saying so if it is not installed.
    private static func onDisk(_ part: String) -> Set<String>? {
        guard let names = ConformanceCase.names(of: part), !names.isEmpty else {
            print("skipped: \(ConformanceCase.suite)/\(part) is not there (Debian's libonnx-testdata)")
            return nil
        }
        return names
    }

    @Test(arguments: ConformanceCase.parts) func everyCaseStandsInOneList(_ part: String) throws {
        guard let onDisk = Self.onDisk(part) else { return }
        let (passing, excluded) = (try Self.passing(part), try Self.excluded(part))
        let listed = passing + excluded.map(\.name)
        #expect(Set(listed).count == listed.count, "a case is listed twice")
        #expect(onDisk.subtracting(listed).sorted() == [], "in neither list")
        #expect(Set(listed).subtracting(onDisk).sorted() == [], "listed, but not in the suite")
        for entry in excluded { #expect(!entry.reason.isEmpty, "\(entry.name) is excluded for no reason") }
    }

    @Test func everyLineNamesAPart() throws {
        #expect(try Self.lines("passing.txt").count >= 200)
        for line in try Self.lines("passing.txt") + Self.lines("excluded.txt") {
            #expect(ConformanceCase.parts.contains { line.hasPrefix("\($0)/") }, "\(line)")
        }
    }

    /// As stored, written and read again, and simplified.
    @Test(arguments: ConformanceCase.parts) func listedCasesPass(_ part: String) throws {
        guard Self.onDisk(part) != nil else { return }
        for name in try Self.passing(part) {
            let test = ConformanceCase(name: name)
            var stage = "as stored"
            do {
                let network = try test.network()
                try test.check(network)
                stage = "written and read again"
                let bytes = try ONNXWriter.bytes(of: network)
                try test.check(try bytes.withUnsafeBytes { try ONNXReader.read(bytes: $0, file: name) })
                stage = "simplified"
                if test.staysSingle(network), let simplified = try simplified(network) { try test.check(simplified) }
            } catch {
                Issue.record("\(name), \(stage): \(error)")
            }
        }
    }

    /// A case is excluded because it fails. One that passes belongs in the other list.
    @Test(arguments: ConformanceCase.parts) func excludedCasesFail(_ part: String) throws {
        guard Self.onDisk(part) != nil else { return }
        for (name, reason) in try Self.excluded(part) {
            let test = ConformanceCase(name: name)
            do {
                try test.check(try test.network())
                Issue.record("\(name) passes, though excluded: \(reason)")
            } catch let error as ONNXError {
                // What is excluded for its operators must be refused for them.
                if reason.hasPrefix("operator "), case .unsupported(_, let items) = error {
                    #expect(items.contains { $0.contains("operator ") }, "\(name): \(items)")
                }
            } catch {
                #expect(!reason.hasPrefix("operator "), "\(name): \(error)")
            }
        }
    }

    /// The simplified network; `nil` where shapes depend on the numbers in an input, which only a run knows.
    private func simplified(_ network: Network) throws -> Network? {
        do {
            return try network.simplified()
        } catch let error as NetworkError {
            if case .unsupported = error, network.inputs.contains(where: { $0.type.elementType == .int64 }) {
                return nil
            }
            throw error
        }
    }
}
