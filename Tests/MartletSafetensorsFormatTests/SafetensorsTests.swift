import Foundation
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletSafetensorsFormat

/// Safetensors files, sound and hostile.
@Suite final class SafetensorsTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
    private var path: String { folder.appendingPathComponent("file.safetensors").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func open(_ bytes: Data) throws -> SafetensorsReader {
        try bytes.write(to: URL(fileURLWithPath: path))
        return try SafetensorsReader(path: path)
    }

    /// A file with this header and `count` bytes behind it.
    private func open(header: String, count: Int = 0, length: UInt64? = nil) throws -> SafetensorsReader {
        var bytes = Data()
        withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { bytes.append(contentsOf: $0) }
        return try open(bytes + Data(header.utf8) + Data(count: count))
    }

    @Test func everyTypeComesBack() throws {
        var generator = SeededGenerator(seed: 1)
        var tensors: [String: Tensor] = [:]
        for type in ElementType.allCases {
            for shape in [[], [0], [7], [2, 3], [1, 0, 2]] as [Shape] {
                let floats = try Tensor(generator.floats(shape.elementCount).map { $0 * 100 }, shape: shape)
                tensors["\(type) \(shape) \"ä\"\n"] = try floats.converted(to: type)
            }
        }
        let names = tensors.keys.sorted()
        let layout = names.compactMap { name in
            tensors[name].map { (name: name, elementType: $0.elementType, shape: $0.shape) }
        }
        try SafetensorsWriter.write(layout, metadata: ["key": "välue", "": ""], to: path) { try #require(tensors[$0]) }
        let first = try Data(contentsOf: URL(fileURLWithPath: path))
        let reader = try SafetensorsReader(path: path)
        #expect(reader.names == names && reader.metadata == ["key": "välue", "": ""])
        for name in names {
            #expect(try reader.tensor(name) == tensors[name])
            #expect(reader.shape(of: name) == tensors[name]?.shape)
        }
        #expect(first.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } % 8 == 0, "the numbers are not aligned")
        try SafetensorsWriter.write(layout, metadata: ["key": "välue", "": ""], to: path) { try #require(tensors[$0]) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first, "the same tensors give other bytes")
        #expect(throws: SafetensorsError.missing(file: path, tensor: "absent")) { try reader.tensor("absent") }
        #expect(reader.shape(of: "absent") == nil)
    }

    /// Written by `safetensors.numpy.save` 0.8.0: `b` arange(3), `scalar` 2.5, `a` [[1.5, -2]] float32, `empty` float16
    /// [0, 4], `flag` [True, False], and metadata.
    @Test func aFileOfTheReferenceImplementation() throws {
        let text = """
            SAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJ3aG8iOiJzYWZldGVuc29ycyJ9LCJiIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlszXSwiZGF0YV9v\
            ZmZzZXRzIjpbMCwyNF19LCJzY2FsYXIiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzI0LDMyXX0sImEiOnsiZHR5\
            cGUiOiJGMzIiLCJzaGFwZSI6WzEsMl0sImRhdGFfb2Zmc2V0cyI6WzMyLDQwXX0sImVtcHR5Ijp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlswLDRd\
            LCJkYXRhX29mZnNldHMiOls0MCw0MF19LCJmbGFnIjp7ImR0eXBlIjoiQk9PTCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzQwLDQyXX19\
            AAAAAAAAAAABAAAAAAAAAAIAAAAAAAAAAAAAAAAABEAAAMA/AAAAwAEA
            """
        let reader = try open(try #require(Data(base64Encoded: text)))
        #expect(reader.names == ["a", "b", "empty", "flag", "scalar"] && reader.metadata == ["who": "safetensors"])
        #expect(try reader.tensor("a") == Tensor([1.5, -2] as [Float], shape: [1, 2]))
        #expect(try reader.tensor("b") == Tensor([0, 1, 2] as [Int64], shape: [3]))
        #expect(try reader.tensor("empty") == Tensor([] as [Float16], shape: [0, 4]))
        #expect(try reader.tensor("flag") == Tensor([true, false], shape: [2]))
        #expect(try reader.tensor("scalar") == Tensor([2.5], shape: []))
    }

    @Test func oddButValid() throws {
        #expect(try open(header: "{}").names == [])
        // Numbers at an odd byte, spaces around the header, a boolean that is neither 0 nor 1.
        let header =
            #"  {"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}   "#
        var bytes = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += Data(header.utf8) + Data([7, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
        let reader = try open(bytes)
        #expect(try reader.tensor("f") == Tensor([1, 2] as [Float], shape: [2]))
        #expect(try reader.tensor("b") == Tensor([true], shape: [1]))
    }

    @Test func headersThatDoNotFit() {
        for count in 0..<8 {
            #expect(throws: SafetensorsError.headerLength(file: path)) { try open(Data(count: count)) }
        }
        for length in [3, 1 << 20, (100 << 20) + 1, UInt64(Int64.max), 1 << 63, .max] as [UInt64] {
            #expect(throws: SafetensorsError.headerLength(file: path)) { try open(header: "{}", length: length) }
        }
    }

    @Test(arguments: [
        "", "[]", "null", "{", "{}}", "text", "{\"a\":1}", "{\"a\":{}}", "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":[]}",
        #"{"a":{"dtype":"F32","shape":[1]}}"#, #"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e300]}}"#,
        #"{"a":{"dtype":"F32","shape":[1e19],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[null],"data_offsets":[0,4]}}"#,
    ]) func headersThatMakeNoSense(_ header: String) {
        #expect {
            try open(header: header, count: 4)
        } throws: { error in
            if case SafetensorsError.header = error { true } else { false }
        }
    }

    @Test func tensorsThatContradictThemselves() {
        func refuses(_ entry: String, count: Int = 4) {
            #expect {
                try open(header: "{\"a\":{\(entry)}}", count: count)
            } throws: { error in
                if case SafetensorsError.tensor(_, "a", _) = error { true } else { false }
            }
        }
        refuses(#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#)
        refuses(#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#)
        refuses(#""dtype":"F64","shape":[1],"data_offsets":[0,4]"#)
        refuses(#""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]"#)
        refuses(#""dtype":"F32","shape":[1152921504606846976,4],"data_offsets":[0,4]"#)
        refuses(#""dtype":"F32","shape":[9007199254740992],"data_offsets":[0,4]"#)
        refuses(#""dtype":"U8","shape":[0,9007199254740992],"data_offsets":[0,0]"#)
        for type in ["BF16", "F8_E4M3", "", "f32", "C64"] {
            #expect(throws: SafetensorsError.elementType(file: path, tensor: "a", type: type)) {
                try open(header: "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[1],\"data_offsets\":[0,4]}}", count: 4)
            }
        }
    }

    @Test func tensorsThatDoNotLieSideBySide() {
        func layout(_ ranges: [Range<Int>], count: Int) -> Bool {
            let entries = ranges.enumerated().map { index, range in
                "\"\(index)\":{\"dtype\":\"U8\",\"shape\":[\(range.count)],\"data_offsets\":[\(range.lowerBound),\(range.upperBound)]}"
            }
            do {
                _ = try open(header: "{\(entries.joined(separator: ","))}", count: count)
                return true
            } catch {
                if case SafetensorsError.layout = error { return false }
                Issue.record("\(error)")
                return true
            }
        }
        #expect(layout([0..<4, 4..<8], count: 8))
        #expect(layout([4..<8, 0..<4, 4..<4, 8..<8], count: 8))
        #expect(!layout([0..<4, 3..<7], count: 7))
        #expect(!layout([0..<4, 0..<4], count: 4))
        #expect(!layout([0..<4, 5..<8], count: 8))
        #expect(!layout([1..<4], count: 4))
        #expect(!layout([0..<4], count: 5))
        #expect(!layout([0..<4, 4..<8], count: 7))
        #expect(!layout([], count: 1))
    }

    @Test func headersNestedWithoutEnd() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let header =
                "{\"a\":" + String(repeating: open, count: 200_000) + String(repeating: close, count: 200_000) + "}"
            #expect(throws: SafetensorsError.self) { try self.open(header: header) }
        }
    }

    @Test func damagedFilesNeverTrap() throws {
        let tensor = try Tensor([1, 2, 3] as [Float], shape: [3])
        try SafetensorsWriter.write(
            [("first", .float32, [3]), ("second", .float32, [3])], metadata: ["a": "b"], to: path
        ) { _ in tensor }
        let sound = try Data(contentsOf: URL(fileURLWithPath: path))
        var generator = SeededGenerator(seed: 2)
        for round in 0..<600 {
            var bytes = round < sound.count ? sound.prefix(round) : sound
            if round >= sound.count {
                for _ in 0..<generator.integer(1...3) {
                    bytes[generator.integer(0...(bytes.count - 1))] = UInt8.random(in: .min ... .max, using: &generator)
                }
            }
            do {
                let reader = try open(bytes)
                for name in reader.names { _ = try reader.tensor(name) }
            } catch {
                #expect(error is SafetensorsError, "\(error)")
            }
        }
    }

    @Test func aTensorOtherThanAnnounced() throws {
        let tensor = try Tensor([1, 2, 3] as [Float], shape: [3])
        for (type, shape) in [(.float64, [3]), (.float32, [1, 3])] as [(ElementType, Shape)] {
            #expect(throws: SafetensorsError.self) {
                try SafetensorsWriter.write([("a", type, shape)], metadata: [:], to: path) { _ in tensor }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: path), "half a file is left")
    }
}
