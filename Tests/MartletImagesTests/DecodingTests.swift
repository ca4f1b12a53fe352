import Foundation
import Testing

@testable import MartletImages

@Suite struct DecodingTests {
    @Test func pngIsWhatPillowReads() throws {
        let (index, pixels) = try Goldens.load()
        #expect(index.png.count == 36)
        for golden in index.png {
            let name = try #require(golden.file)
            let image = try Image(decoding: Goldens.bytes(name), name: name)
            #expect(image.shape == golden.shape)
            #expect(image.pixels.elementsEqual(pixels[golden.offset..<golden.offset + image.pixels.count]), "\(name)")
        }
    }

    @Test func jpegIsWhatPillowReads() throws {
        let (index, pixels) = try Goldens.load()
        #expect(index.jpeg.count == 21)
        for golden in index.jpeg {
            let name = try #require(golden.file)
            let image = try Image(decoding: Goldens.bytes(name), name: name)
            #expect(image.shape == golden.shape)
            let expected = pixels[golden.offset..<golden.offset + image.pixels.count]
            #expect(largestDifference(image.pixels, expected) == 0, "\(name)")
        }
    }

    @Test func realImages() throws {
        guard let shared = sharedFolder() else { return }
        for golden in try Goldens.load().index.shared {
            let image = try Image(contentsOf: shared + "/" + golden.file)
            #expect(hash(image.pixels) == golden.decoded, "\(golden.file)")
            #expect(hash(try Preprocessing.preset("imagenet").geometry(of: image).pixels) == golden.imagenet)
            #expect(hash(try Preprocessing.preset("clip").geometry(of: image).pixels) == golden.clip)
        }
    }

    @Test func greyAndColour() throws {
        let colour = try Image(width: 2, height: 1, channels: 3, pixels: [255, 0, 0, 10, 20, 30])
        // round(0.299 * 255), and 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15
        #expect(colour.convertedToGrey().pixels == [76, 18])
        #expect(colour.convertedToRGB() == colour)
        let grey = try Image(width: 2, height: 1, channels: 1, pixels: [7, 200])
        #expect(grey.convertedToRGB().pixels == [7, 7, 7, 200, 200, 200])
        #expect(grey.convertedToGrey() == grey)
    }

    @Test func namesWhatIsNoImage() throws {
        #expect(throws: ImageError.unknownFormat(name: "x")) { try Image(decoding: [], name: "x") }
        #expect(throws: ImageError.unknownFormat(name: "x")) { try Image(decoding: Array("GIF89a".utf8), name: "x") }
        #expect(throws: ImageError.pixelCountMismatch(width: 2, height: 2, channels: 3, count: 11)) {
            try Image(width: 2, height: 2, channels: 3, pixels: [UInt8](repeating: 0, count: 11))
        }
        #expect(throws: ImageError.self) { try Image(width: 0, height: 2, channels: 3, pixels: []) }
        #expect(throws: ImageError.self) { try Image(width: .max, height: 2, channels: 3, pixels: []) }
    }
}
