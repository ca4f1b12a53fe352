import Foundation
import MartletFiles
import Testing

@Suite struct FileTests {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    @Test func writesAndMaps() throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        try OutputFile.create(at: path("a")) { file in
            for start in stride(from: 0, to: bytes.count, by: 777) {
                try bytes[start..<min(start + 777, bytes.count)].withUnsafeBytes { try file.write($0) }
            }
        }
        #expect(try MappedFile(path: path("a")).withUnsafeBytes { Array($0) } == bytes)
        // What is let go of comes back.
        let mapped = try MappedFile(path: path("a"))
        mapped.withUnsafeBytes { mapped.letGo(of: $0) }
        #expect(mapped.withUnsafeBytes { Array($0) } == bytes)
        #expect(try contents() == ["a"])
    }

    @Test func failureLeavesTheOldFile() throws {
        struct Interrupted: Error {}
        try OutputFile.write("old", to: path("a"))
        #expect(throws: Interrupted.self) {
            try OutputFile.create(at: path("a")) { file in
                try [UInt8](repeating: 1, count: 1 << 20).withUnsafeBytes { try file.write($0) }
                throw Interrupted()
            }
        }
        #expect(try String(contentsOfFile: path("a"), encoding: .utf8) == "old")
        #expect(try contents() == ["a"])
    }

    @Test func namesWhatIsWrong() throws {
        #expect(throws: FileError.cannotRead(path: path("none"), reason: "No such file or directory")) {
            try MappedFile(path: path("none"))
        }
        #expect(throws: FileError.cannotRead(path: folder.path, reason: "it is a folder")) {
            try MappedFile(path: folder.path)
        }
        #expect(throws: FileError.cannotWrite(path: folder.path, reason: "a folder of that name stands there")) {
            try OutputFile.write("x", to: folder.path)
        }
        #expect(throws: FileError.self) { try OutputFile.checkWritable(path("no/such/folder/file")) }
    }

    @Test func emptyFile() throws {
        try OutputFile.write("", to: path("empty"))
        #expect(try MappedFile(path: path("empty")).byteCount == 0)
    }
}
