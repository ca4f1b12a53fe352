import Testing

@testable import MartletImages

@Suite struct ResizingTests {
    @Test func resizesAsPillowDoes() throws {
        let (index, pixels) = try Goldens.load()
        #expect(index.resize.count == 114)
        for golden in index.resize {
            let source = try #require(golden.source)
            let filter = try #require(golden.filter.flatMap(Interpolation.init(rawValue:)))
            let image = try pattern(source[0], source[1], source[2])
            let result = try image.resized(width: golden.width, height: golden.height, filter: filter)
            let expected = pixels[golden.offset..<golden.offset + golden.width * golden.height * golden.channels]
            #expect(result.channels == golden.channels)
            let isSame = result.pixels.elementsEqual(expected)
            let target = "\(golden.width)x\(golden.height), \(filter)"
            #expect(isSame, "\(source) to \(target): off by \(largestDifference(result.pixels, expected))")
        }
    }

    @Test func aWindowIsTheSamePartOfTheWhole() throws {
        var random = generator(6)
        for _ in 0..<60 {
            let channels = Bool.random(using: &random) ? 1 : 3
            let image = try pattern(.random(in: 1...40, using: &random), .random(in: 1...40, using: &random), channels)
            let (width, height) = (Int.random(in: 1...50, using: &random), Int.random(in: 1...50, using: &random))
            let left = Int.random(in: 0..<width, using: &random)
            let top = Int.random(in: 0..<height, using: &random)
            let window = ImageWindow(
                columns: left..<Int.random(in: left + 1...width, using: &random),
                rows: top..<Int.random(in: top + 1...height, using: &random))
            for filter in Interpolation.allCases {
                let whole = try image.resized(width: width, height: height, filter: filter).cut(window)
                #expect(try image.resized(width: width, height: height, filter: filter, window: window) == whole)
            }
        }
    }

    @Test func shorterSideTruncates() throws {
        // 256 * 500 / 333 = 384.38
        for (size, expected) in [((500, 333), (384, 256)), ((333, 500), (256, 384)), ((7, 7), (256, 256))] {
            let result = try Image.size(width: size.0, height: size.1, shorterSide: 256)
            #expect(result.width == expected.0 && result.height == expected.1)
        }
        // 2 * 5 / 3 = 3.33
        #expect(try pattern(3, 5, 1).resized(shorterSide: 2, filter: .box).height == 3)
    }

    @Test func cropStartsAtTheFloor() throws {
        #expect(Image.cropRange(of: 227, to: 224).kept == 1..<225)
        #expect(Image.cropRange(of: 225, to: 224).kept == 0..<224)
        #expect(Image.cropRange(of: 229, to: 224).kept == 2..<226)
        #expect(Image.cropRange(of: 256, to: 224).kept == 16..<240)
        #expect(Image.cropRange(of: 3, to: 6).kept == 0..<3)
        #expect(Image.cropRange(of: 3, to: 6).padding == 2)
    }

    @Test func smallImagesAreCroppedOnBlack() throws {
        let image = try Image(width: 2, height: 1, channels: 1, pixels: [5, 6])
        #expect(try image.centerCropped(width: 3, height: 4).pixels == [0, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0])
        let wide = try Image(width: 4, height: 1, channels: 1, pixels: [1, 2, 3, 4])
        #expect(try wide.centerCropped(width: 2, height: 2).pixels == [0, 0, 2, 3])
    }

    @Test func refusesSizes() throws {
        let image = try pattern(3, 2, 3)
        for (width, height) in [(0, 1), (1, 0), (-1, 4), (1 << 20, 1 << 20), (.max, .max)] {
            let refusal = ImageError.unsupportedTargetSize(width: width, height: height)
            #expect(throws: refusal) { try image.resized(width: width, height: height, filter: .bilinear) }
            #expect(throws: refusal) { try image.centerCropped(width: width, height: height) }
        }
        #expect(throws: ImageError.self) { try pattern(1, 3000, 1).resized(shorterSide: 60_000, filter: .box) }
        #expect(throws: ImageError.self) { try image.resized(shorterSide: .max, filter: .box) }
    }

    @Test func veryLongSides() throws {
        let row = try Image(width: 1 << 25, height: 1, channels: 1, pixels: [UInt8](repeating: 9, count: 1 << 25))
        #expect(throws: ImageError.sideTooLong(length: 1 << 25, target: 5)) {
            try row.resized(width: 5, height: 1, filter: .lanczos)
        }
        #expect(try row.resized(width: 3, height: 1, filter: .nearest).pixels == [9, 9, 9])
    }

    @Test func aConstantImageStaysConstant() throws {
        for value in [UInt8(0), 1, 128, 255] {
            let image = try Image(
                width: 19, height: 23, channels: 3, pixels: [UInt8](repeating: value, count: 19 * 23 * 3))
            for filter in Interpolation.allCases {
                let result = try image.resized(width: 8, height: 31, filter: filter)
                #expect(result.pixels.allSatisfy { $0 == value }, "\(filter)")
            }
        }
    }
}
