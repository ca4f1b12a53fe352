import MartletTensors
import Testing

@testable import MartletImages

@Suite struct AugmentedImagesTests {
    /// Two small images with different pixels everywhere.
    struct Pair: DataSet {
        var path: String { "pair" }
        var count: Int { 2 }
        var labelSource: LabelSource { .stated }
        var classNames: [String]? { nil }
        var description: String { "pair" }
        func sample(at index: Int) throws -> Sample {
            let pixels = (0..<6 * 5 * 3).map { UInt8($0 * 2 + index) }
            return Sample(
                image: try Image(width: 6, height: 5, channels: 3, pixels: pixels), label: index, name: "\(index)")
        }
        func label(at index: Int) -> Int? { index }
        func name(at index: Int) -> String { "\(index)" }
        func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {}
    }

    @Test func viewsAreOfTheirImages() throws {
        let views = AugmentedImages(Pair(), views: 4)
        #expect(views.count == 8)
        for index in 0..<8 {
            let sample = try views.sample(at: index)
            #expect(sample.label == index % 2 && views.label(at: index) == index % 2)
            #expect(sample.image.width == 6 && sample.image.height == 5)
            #expect(sample.name == views.name(at: index))
        }
        #expect(Set((0..<8).map { views.name(at: $0) }).count == 8)
        let (plain, mirrored) = (try views.sample(at: 1).image, try views.sample(at: 3).image)
        #expect(plain == (try Pair().sample(at: 1).image))
        for row in 0..<5 {
            for column in 0..<6 {
                for channel in 0..<3 {
                    #expect(
                        mirrored.pixels[(row * 6 + column) * 3 + channel]
                            == plain.pixels[(row * 6 + 5 - column) * 3 + channel])
                }
            }
        }
        #expect(mirrored.mirrored == plain)
        #expect(try views.sample(at: 5).image != plain)
    }

    @Test func partsLieWhereTheyShould() throws {
        let image = try Pair().sample(at: 0).image
        let part = image.part(x: 2, y: 1, width: 3, height: 2)
        #expect(part.pixels.prefix(3) == image.pixels[(6 + 2) * 3..<(6 + 3) * 3])
        #expect(part.pixels.suffix(3) == image.pixels[(12 + 4) * 3..<(12 + 5) * 3])
    }
}
