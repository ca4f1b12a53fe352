import Foundation
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletNumPyFormat

/// NumPy's array files, sound and hostile.
@Suite final class NumPyFileTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString).npy")
        .path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func read(_ bytes: Data) throws -> Tensor {
        try bytes.withUnsafeBytes { try NumPyFile.read(bytes: $0, file: "array.npy") }
    }

    private func file(_ header: String, version: UInt8 = 1, data: Data = Data(), length: Int? = nil) -> Data {
        let count = length ?? header.utf8.count
        let bytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
        return Data([0x93] + Array("NUMPY".utf8) + [version, 0] + bytes + Array(header.utf8)) + data
    }

    @Test func everyTypeComesBack() throws {
        var generator = SeededGenerator(seed: 1)
        for type in ElementType.allCases {
            for shape in [[], [0], [7], [2, 3], [4, 0, 2], [1, 2, 3, 4]] as [Shape] {
                let tensor = try Tensor(generator.floats(shape.elementCount).map { $0 * 100 }, shape: shape)
                    .converted(to: type)
                try NumPyFile.write(tensor, to: path)
                #expect(try NumPyFile.read(path: path) == tensor)
                let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                #expect((bytes.count - tensor.byteCount) % 64 == 0, "the numbers are not aligned")
            }
        }
    }

    /// Written by NumPy 2.4.6 (`numpy.lib.format.write_array`, versions 1, 2 and 3 of the format).
    @Test func filesOfNumPy() throws {
        let spaces = { (count: Int) in String(repeating: "ICAg", count: count) }
        let single =
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDMpLCB9"
            + spaces(19) + "IAoAAMA/AAAAwAAAQEA="
        #expect(try read(try #require(Data(base64Encoded: single))) == Tensor([1.5, -2, 3] as [Float], shape: [1, 3]))
        let long =
            "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywpLCB9"
            + spaces(19) + "IAoAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAA="
        #expect(try read(try #require(Data(base64Encoded: long))) == Tensor([0, 1, 2] as [Int64], shape: [3]))
        let scalar =
            "k05VTVBZAwB0AAAAeydkZXNjcic6ICd8dTEnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAg"
            + spaces(19) + "IAoH"
        #expect(try read(try #require(Data(base64Encoded: scalar))) == Tensor([7 as UInt8], shape: []))
        let empty =
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDAsIDIpLCB9"
            + spaces(19) + "IAo="
        #expect(try read(try #require(Data(base64Encoded: empty))) == Tensor([] as [Float16], shape: [0, 2]))
    }

    @Test func whatMartletWritesIsWhatNumPyWrites() throws {
        let text =
            "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDMpLCB9"
            + String(repeating: "ICAg", count: 19) + "IAoAAMA/AAAAwAAAQEA="
        try NumPyFile.write(try Tensor([1.5, -2, 3] as [Float], shape: [1, 3]), to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).base64EncodedString() == text)
    }

    private let sound = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"

    @Test func oddButValid() throws {
        let two = Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
        let expected = try Tensor([1, 2] as [Float], shape: [2])
        #expect(try read(file(sound, data: two)) == expected)
        #expect(try read(file("{'shape':(2,),'descr':'<f4','fortran_order':False}", data: two)) == expected)
        #expect(
            try read(file("{'descr': '<f4', 'fortran_order': False, 'shape': ( 2 , 1 ), }", data: two)).shape == [2, 1])
        let flags = file("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", data: Data([0, 5]))
        #expect(try read(flags) == Tensor([false, true], shape: [2]))
    }

    @Test(arguments: ["<c8", ">f4", "<U3", "|O", "<M8[s]", "<i1", "[('a', '<f4')]"])
    func typesThatAreNotHeld(_ type: String) {
        #expect(throws: NumPyError.self) {
            try read(file("{'descr': '\(type)', 'fortran_order': False, 'shape': (2,), }", data: Data(count: 8)))
        }
    }

    @Test func hostileFiles() {
        func refuses(_ bytes: Data) { #expect(throws: NumPyError.self, "\(bytes.count) bytes") { try read(bytes) } }
        refuses(Data())
        refuses(Data("PK\u{3}\u{4} a zip archive".utf8))
        refuses(file(sound, data: Data(count: 7)))
        refuses(file(sound, data: Data(count: 9)))
        refuses(file(sound, version: 0, data: Data(count: 8)))
        refuses(file(sound, version: 4, data: Data(count: 8)))
        refuses(file(sound, data: Data(count: 8), length: 65535))
        refuses(file(sound, version: 2, data: Data(count: 8), length: Int(UInt32.max)))
        for shape in [
            "(-2,)", "(2", "2", "[2]", "('2',)", "(2.0,)", "(9223372036854775807, 2)", "(99999999999999999999,)",
            "(4294967296, 4294967296)", "(0, 9223372036854775807)", "(((((((", "",
        ] {
            refuses(file("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}", data: Data(count: 8)))
        }
        refuses(file("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", data: Data(count: 8)))
        refuses(file("{'descr': '<f4', 'shape': (2,), }", data: Data(count: 8)))
        refuses(file("{'descr': \"<f4\", 'fortran_order': False, 'shape': (2,), }", data: Data(count: 8)))
        refuses(file("", data: Data(count: 8)))
        refuses(file(String(repeating: "(", count: 60_000)))
    }

    @Test func damagedFilesNeverTrap() throws {
        let whole = file(sound, data: Data(count: 8))
        var generator = SeededGenerator(seed: 2)
        for count in 0..<whole.count { #expect(throws: NumPyError.self) { try read(whole.prefix(count)) } }
        for _ in 0..<2000 {
            var bytes = whole
            bytes[generator.integer(0...(bytes.count - 1))] = UInt8.random(in: .min ... .max, using: &generator)
            do { _ = try read(bytes) } catch { #expect(error is NumPyError) }
        }
    }

    @Test func moreAxesThanTheHeaderHolds() throws {
        let tensor = try Tensor([1 as Float], shape: try Shape([Int](repeating: 1, count: 30_000)))
        #expect(throws: NumPyError.self) { try NumPyFile.write(tensor, to: path) }
    }
}
