import CMartletZlib
import Foundation
import Testing

@testable import MartletImages

@Suite struct CIFARTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Records whose pixel i of plane c is (record + 3i + 85c) mod 256.
    func records(_ labels: [[UInt8]]) -> [UInt8] {
        labels.enumerated().flatMap { record, label in
            label + (0..<3072).map { UInt8((record + 3 * ($0 % 1024) + 85 * ($0 / 1024)) % 256) }
        }
    }

    @Test func cifar10() throws {
        let path = try folder.write(records([[3], [9], [0]]), "data_batch_1.bin")
        try folder.write((0..<10).map { "class \($0)\n" }.joined(), "batches.meta.txt")
        let set = try DataSets.open(path)
        #expect(set.count == 3 && set.labelSource == .stated)
        #expect((0..<3).map(set.label) == [3, 9, 0])
        #expect(set.classNames?[9] == "class 9")
        let image = try set.sample(at: 2).image
        #expect(image.shape == [32, 32, 3])
        // Pixel 40 is row 1, column 8.
        #expect(Array(image.pixels[120..<123]) == [122, 207, 36] as [UInt8])
        try folder.write(records([[1]]), "data_batch_2.bin")
        let both = try DataSets.open(folder.path)
        #expect((0..<4).map(both.label) == [3, 9, 0, 1])
        try folder.write(records([[1]]), "test_batch.bin")
        #expect(
            throws: DataSetError.trainingAndTest(
                path: folder.path, names: ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"])
        ) { try DataSets.open(folder.path) }
    }

    @Test func cifar100() throws {
        let set = try DataSets.open(folder.write(records([[0, 99], [19, 3]]), "x.bin"))
        #expect((0..<2).map(set.label) == [99, 3])
        #expect(try set.sample(at: 0).image.pixels[0] == 0)
        #expect(set.description.contains("CIFAR-100"))
        try folder.write(records([[1]]), "y.bin")
        #expect(throws: DataSetError.mixedKinds(path: folder.path)) { try DataSets.open(folder.path) }
    }

    @Test func aSizeThatFitsBoth() throws {
        let tenth = records((0..<3074).map { [UInt8($0 % 10)] })
        let hundredth = records((0..<3073).map { [UInt8($0 % 20), UInt8($0 % 100)] })
        #expect(tenth.count == hundredth.count)
        #expect(try DataSets.open(folder.write(tenth, "data_batch_9.bin")).count == 3074)
        #expect(try DataSets.open(folder.write(tenth, "unnamed.bin")).count == 3074)
        #expect(try DataSets.open(folder.write(hundredth, "train.bin")).count == 3073)
        #expect(try DataSets.open(folder.write(hundredth, "unnamed.bin")).count == 3073)
    }

    @Test func damaged() throws {
        let path = try folder.write(Array(records([[1], [2]]).dropLast()), "a.bin")
        #expect(throws: DataSetError.recordSizeMismatch(path: path, byteCount: 6145)) { try DataSets.open(path) }
        let empty = try folder.write([], "empty.bin")
        #expect(throws: DataSetError.recordSizeMismatch(path: empty, byteCount: 0)) { try DataSets.open(empty) }
        let label = try folder.write(records([[1], [10]]), "b.bin")
        #expect(throws: DataSetError.labelOutOfRange(path: label, record: 1, label: 10, classCount: 10)) {
            try DataSets.open(label)
        }
    }

    @Test func realFiles() throws {
        guard let shared = sharedFolder() else { return }
        let test = try DataSets.open(shared + "/data/cifar10/test_batch.bin")
        #expect(test.count == 10_000)
        #expect(test.classNames?.count == 10)
        // The test set is balanced.
        let counts = (0..<10_000).reduce(into: [Int: Int]()) { $0[test.label(at: $1) ?? -1, default: 0] += 1 }
        #expect(counts.count == 10 && counts.values.allSatisfy { $0 == 1000 })
        let hundred = try DataSets.open(shared + "/data/cifar100/train.bin")
        #expect(hundred.count == 3000 && hundred.classNames?.count == 100)
        let photographs = try DataSets.open(
            shared + "/data/imagenet-val", labels: shared + "/data/imagenet-classes.txt")
        #expect(photographs.count == 300 && photographs.labelSource == .classMap)
        let list = try DataSets.open(shared + "/data/imagenet-calibration.csv")
        #expect(list.count == 1000 && list.label(at: 999) == 999)
        #expect(
            throws: DataSetError.trainingAndTest(
                path: shared + "/data/cifar10", names: ["data_batch_1.bin", "test_batch.bin"])
        ) { try DataSets.open(shared + "/data/cifar10") }
    }
}

@Suite struct IDXTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func idx(_ extents: [Int], _ bytes: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(extents.count)]
            + extents.flatMap { extent in (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * $0)) } } + bytes
    }

    @Test func imagesAndLabels() throws {
        let images = idx([3, 2, 4], (0..<24).map { UInt8($0) })
        let labels = idx([3], [7, 0, 255])
        for (imagesName, labelsName) in [
            ("t-images-idx3-ubyte", "t-labels-idx1-ubyte"), ("u-images-idx3-ubyte.gz", "u-labels-idx1-ubyte.gz"),
            ("v-images-idx3-ubyte.gz", "v-labels-idx1-ubyte"), ("w-images.idx3-ubyte", "w-labels.idx1-ubyte.gz"),
        ] {
            let path = try folder.write(imagesName.hasSuffix("gz") ? try gzipped(images) : images, imagesName)
            #expect(try DataSets.open(path).labelSource == .none)
            try folder.write(labelsName.hasSuffix("gz") ? try gzipped(labels) : labels, labelsName)
            let set = try DataSets.open(path)
            #expect((0..<set.count).map(set.label) == [7, 0, 255])
            let image = try set.sample(at: 1).image
            #expect(image.shape == [4, 2, 1])
            #expect(image.pixels == [8, 9, 10, 11, 12, 13, 14, 15])
        }
        let colour = try DataSets.open(folder.write(idx([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]), "colour"))
        #expect(try colour.sample(at: 0).image.shape == [2, 1, 3])
    }

    @Test func severalMembersAndDigests() throws {
        let images = idx([1, 2, 4], (0..<8).map { UInt8($0) })
        let plain = try DataSets.open(folder.write(images, "plain"))
        let members = try gzipped(Array(images[..<9])) + gzipped(Array(images[9...]))
        let split = try DataSets.open(folder.write(members, "x.gz"))
        #expect(try plain.sample(at: 0).image == split.sample(at: 0).image)
        #expect(try plain.digest() == split.digest())
    }

    @Test func damaged() throws {
        func refused(_ bytes: [UInt8]) throws {
            let path = try folder.write(bytes, "images-idx3-ubyte")
            #expect(throws: DataSetError.self) { try DataSets.open(path) }
        }
        let good = idx([2, 3, 3], [UInt8](repeating: 1, count: 18))
        for length in 0..<good.count { try refused(Array(good[..<length])) }
        try refused(good + [0])
        try refused(idx([2, 0, 3], []))
        try refused(idx([0, 3, 3], []))
        try refused(idx([18], [UInt8](repeating: 1, count: 18)))
        try refused(idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], []))
        try refused(idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 3], []))
        try refused(idx([1, 3, 3, 2], [UInt8](repeating: 1, count: 18)))
        let packed = try gzipped(good)
        for length in 2..<packed.count { try refused(Array(packed[..<length])) }
        for position in packed.indices.dropFirst(10) {
            var flipped = packed
            flipped[position] ^= 0x10
            try refused(flipped)
        }
        try folder.write(good, "images-idx3-ubyte")
        try folder.write(idx([3], [1, 2, 3]), "labels-idx1-ubyte")
        #expect(
            throws: DataSetError.labelCountMismatch(
                images: folder.path + "/images-idx3-ubyte", imageCount: 2, labels: folder.path + "/labels-idx1-ubyte",
                labelCount: 3)
        ) { try DataSets.open(folder.path + "/images-idx3-ubyte") }
    }

    @Test func unpackingIsBounded() throws {
        let packed = try gzipped([UInt8](repeating: 0, count: 1 << 20))
        #expect(packed.count < 2000)
        #expect(throws: DataSetError.cannotUnpack(path: "x", reason: "it holds more than 1000 bytes")) {
            try packed.withUnsafeBytes { try Gzip.unpacked($0, path: "x", limit: 1000) }
        }
    }

    @Test func fashionMNIST() throws {
        let path = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
        guard FileManager.default.fileExists(atPath: path) else {
            print("skipped: there is no file \(path)")
            return
        }
        let set = try DataSets.open(path)
        #expect(set.count == 10_000 && set.isLabelled)
        let counts = (0..<10_000).reduce(into: [Int: Int]()) { $0[set.label(at: $1) ?? -1, default: 0] += 1 }
        #expect(counts.count == 10 && counts.values.allSatisfy { $0 == 1000 })
        let sample = try set.sample(at: 0)
        #expect(sample.label == 9)
        #expect(try Preprocessing.preset("fashion-mnist").outputShape(width: 28, height: 28).extents == [1, 28, 28])
    }
}

/// The bytes as a gzip file.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    try #require(
        deflateInit2_(&stream, 9, Z_DEFLATED, 15 + 16, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1000)
    let count = output.count
    input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(count)
            _ = deflate(&stream, Z_FINISH)
        }
    }
    return Array(output[..<(count - Int(stream.avail_out))])
}
