import CMartletZlib
import Testing

@testable import MartletImages

@Suite struct HostileImageTests {
    @Test(arguments: [
        "rgb8.png", "rgb8-interlaced.png", "palette4.png", "baseline-420.jpg", "progressive-444.jpg", "grey.jpg",
        "cmyk.jpg",
    ])
    func truncatedAtEveryByte(_ name: String) throws {
        let bytes = try Goldens.bytes(name)
        _ = try Image(decoding: bytes, name: name)
        for length in 0..<bytes.count {
            #expect(throws: ImageError.self, "\(name) cut to \(length) of \(bytes.count) bytes") {
                try Image(decoding: Array(bytes[..<length]), name: name)
            }
        }
    }

    @Test func everyFlippedBitOfAPNGIsFound() throws {
        let bytes = try Goldens.bytes("rgb8.png")
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                #expect(throws: ImageError.self, "bit \(bit) of byte \(position)") {
                    try Image(decoding: damaged, name: "damaged")
                }
            }
        }
    }

    /// JPEG has no checksums: damage may go unnoticed, but must not trap.
    @Test func flippedBytesNeverTrap() throws {
        var random = generator(3)
        var refused = 0
        for name in ["baseline-420.jpg", "progressive-420.jpg", "cmyk-progressive.jpg", "restarts.jpg", "grey.jpg"] {
            let bytes = try Goldens.bytes(name)
            for _ in 0..<300 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    damaged[Int.random(in: 2..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                do {
                    let image = try Image(decoding: damaged, name: name)
                    #expect(image.pixels.count == image.width * image.height * image.channels)
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 100)
    }

    @Test func randomBytesBehindAValidHeaderNeverTrap() throws {
        var random = generator(4)
        for name in ["grey16-interlaced.png", "palette2.png", "rgba16.png", "progressive-422.jpg", "ycck.jpg"] {
            let bytes = try Goldens.bytes(name)
            for _ in 0..<200 {
                let kept = Int.random(in: 3..<bytes.count, using: &random)
                let noise = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                _ = try? Image(decoding: bytes[..<kept] + noise, name: name)
            }
        }
    }

    @Test func damagedPNGChunksWithRightChecksumsNeverTrap() throws {
        var random = generator(5)
        for name in ["grey1.png", "palette8-interlaced.png", "rgb16.png", "grey-alpha8.png"] {
            let bytes = try Goldens.bytes(name)
            for _ in 0..<200 {
                var damaged = bytes
                damaged[Int.random(in: 16..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                mendChecksums(&damaged)
                _ = try? Image(decoding: damaged, name: name)
            }
        }
    }

    @Test(arguments: [(0, 1), (1, 0), (1 << 31 - 1, 1 << 31 - 1), (1 << 30, 1), (20000, 20000), (16000, 16000)])
    func sizesInAPNGHeader(_ width: Int, _ height: Int) throws {
        var bytes = try Goldens.bytes("rgb8.png")
        for (start, value) in [(16, width), (20, height)] {
            for i in 0..<4 { bytes[start + i] = UInt8(truncatingIfNeeded: value >> (24 - 8 * i)) }
        }
        mendChecksums(&bytes)
        #expect(throws: ImageError.self) { try Image(decoding: bytes, name: "sizes") }
    }

    @Test(arguments: [(0, 1), (1, 0), (65500, 65500), (65535, 1), (16000, 16000)])
    func sizesInAJPEGHeader(_ width: Int, _ height: Int) throws {
        for name in ["baseline-444.jpg", "progressive-444.jpg"] {
            var bytes = try Goldens.bytes(name)
            let frame = try #require(
                bytes.indices.first { bytes[$0] == 0xFF && (bytes[$0 + 1] == 0xC0 || bytes[$0 + 1] == 0xC2) })
            (bytes[frame + 5], bytes[frame + 6]) = (UInt8(height >> 8), UInt8(height & 255))
            (bytes[frame + 7], bytes[frame + 8]) = (UInt8(width >> 8), UInt8(width & 255))
            #expect(throws: ImageError.self) { try Image(decoding: bytes, name: "sizes") }
        }
    }

    @Test func thousandsOfScansAreRefused() throws {
        let bytes = try Goldens.bytes("grey-progressive.jpg")
        // The first scan again and again: from its marker to the next that is neither stuffing nor a restart.
        let start = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
        let end = try #require(
            (start + 2..<bytes.count).first { bytes[$0] == 0xFF && bytes[$0 + 1] != 0 && bytes[$0 + 1] & 0xF8 != 0xD0 })
        let twice = Array(bytes[..<end] + bytes[start...])
        #expect(try Image(decoding: twice, name: "twice") == Image(decoding: bytes, name: "once"))
        var many = Array(bytes[..<end])
        for _ in 0..<1000 { many += bytes[start..<end] }
        many += bytes[end...]
        #expect(throws: ImageError.cannotDecode(name: "many", format: "JPEG", reason: "more than 200 scans")) {
            try Image(decoding: many, name: "many")
        }
    }
}

/// Sets the checksum of every chunk of a PNG file whose length still makes sense.
private func mendChecksums(_ bytes: inout [UInt8]) {
    var position = 8
    while position + 12 <= bytes.count {
        let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        let end = position + 8 + length
        guard end + 4 <= bytes.count else { return }
        let sum = bytes.withUnsafeBufferPointer { buffer in
            crc32(0, buffer.baseAddress.map { $0 + position + 4 }, UInt32(length + 4))
        }
        for i in 0..<4 { bytes[end + i] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt(i))) }
        position = end + 4
    }
}
