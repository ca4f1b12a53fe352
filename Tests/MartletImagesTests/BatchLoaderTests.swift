import Foundation
import MartletFiles
import MartletTensors
import Synchronization
import Testing

@testable import MartletImages

/// Images of one pixel made on the fly: the value is the index. Counts what is asked for.
private final class Counted: DataSet {
    let count: Int
    let badIndices: Set<Int>
    let wideIndices: Set<Int>
    let asked = Mutex<[Int]>([])
    let delay: UInt32

    init(_ count: Int, bad: Set<Int> = [], wide: Set<Int> = [], delay: UInt32 = 0) {
        self.count = count
        badIndices = bad
        wideIndices = wide
        self.delay = delay
    }

    var path: String { "counted" }
    var description: String { "\(count) pixels" }
    var labelSource: LabelSource { .stated }
    var classNames: [String]? { nil }
    func label(at index: Int) -> Int? { index * 2 }
    func name(at index: Int) -> String { "pixel \(index)" }
    func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {}

    func sample(at index: Int) throws -> Sample {
        asked.withLock { $0.append(index) }
        if delay > 0 { usleep(delay) }
        if badIndices.contains(index) { throw ImageError.unknownFormat(name: name(at: index)) }
        let width = wideIndices.contains(index) ? 2 : 1
        let pixels = [UInt8](repeating: UInt8(index % 256), count: width)
        return Sample(
            image: try Image(width: width, height: 1, channels: 1, pixels: pixels), label: label(at: index),
            name: name(at: index))
    }
}

@Suite struct BatchLoaderTests {
    let bytes: Preprocessing

    init() throws { bytes = try Preprocessing(scale: 1, channels: .grey) }

    @Test(arguments: [0, 1, 2, 5], [1, 3, 8, 50])
    func batchesComeInOrder(_ threadCount: Int, _ batchSize: Int) throws {
        let loader = BatchLoader(
            Counted(20), preprocessing: bytes, batchSize: batchSize, inputExtents: [1, nil, 1],
            threadCount: threadCount)
        var seen = 0
        while let batch = try loader.next() {
            let size = min(batchSize, 20 - seen)
            #expect(batch.indices == seen..<seen + size)
            #expect(batch.tensor.shape.extents == [size, 1, 1, 1])
            #expect(try batch.tensor.elements(Float.self) == batch.indices.map { Float($0) })
            #expect(batch.labels == batch.indices.map { $0 * 2 })
            #expect(batch.names == batch.indices.map { "pixel \($0)" })
            seen += size
        }
        #expect(seen == 20)
        #expect(try loader.next() == nil)
    }

    @Test func errorsBelongToTheirBatch() throws {
        let loader = BatchLoader(Counted(9, bad: [4]), preprocessing: bytes, batchSize: 3, threadCount: 2)
        #expect(try loader.next()?.indices == 0..<3)
        #expect(throws: ImageError.unknownFormat(name: "pixel 4")) { try loader.next() }
        #expect(try loader.next()?.indices == 6..<9)
        #expect(try loader.next() == nil)
    }

    @Test func anotherShapeIsAnError() throws {
        let loader = BatchLoader(Counted(4, wide: [3]), preprocessing: bytes, batchSize: 2)
        #expect(try loader.next() != nil)
        #expect(throws: PreprocessingError.inputMismatch(image: "pixel 3", output: [1, 1, 2], expected: [1, 1, 1])) {
            try loader.next()
        }
        let other = BatchLoader(Counted(4), preprocessing: bytes, batchSize: 2, inputExtents: [3, 224, 224])
        #expect(throws: PreprocessingError.self) { try other.next() }
    }

    @Test func staysWithinTheBoundAndStopsWhenAbandoned() throws {
        let set = Counted(1000, delay: 200)
        do {
            let loader = BatchLoader(set, preprocessing: bytes, batchSize: 4, threadCount: 3, batchesAhead: 2)
            _ = try loader.next()
            for _ in 0..<5000 where set.asked.withLock({ $0.count }) < 16 { usleep(2000) }
            usleep(20_000)
            // The batch taken, and room for three: the one whose turn it is and two ahead.
            #expect(set.asked.withLock { $0.count } == 16)
        }
        let count = set.asked.withLock { $0.count }
        usleep(10_000)
        #expect(set.asked.withLock { $0.count } == count)
    }

    @Test func decodesAheadOfWhoeverAsks() throws {
        let set = Counted(8)
        let loader = BatchLoader(set, preprocessing: bytes, batchSize: 2, threadCount: 1, batchesAhead: 1)
        for _ in 0..<500 where set.asked.withLock({ $0.count }) < 4 { usleep(2000) }
        #expect(set.asked.withLock { $0 } == [0, 1, 2, 3])
        #expect(try loader.next()?.indices == 0..<2)
    }

    @Test func realImagesAreTheSameForAnyNumberOfThreads() throws {
        guard let shared = sharedFolder() else { return }
        let set = try DataSets.open(shared + "/data/imagenet-val", labels: shared + "/data/imagenet-classes.txt")
            .limited(to: 12)
        func tensors(_ threadCount: Int) throws -> [Tensor] {
            let loader = BatchLoader(
                set, preprocessing: try .preset("imagenet-crop"), batchSize: 5, inputExtents: [3, 224, 224],
                threadCount: threadCount)
            var result: [Tensor] = []
            while let batch = try loader.next() { result.append(batch.tensor) }
            return result
        }
        let alone = try tensors(0)
        #expect(alone.map { $0.shape[0] } == [5, 5, 2])
        #expect(try tensors(3) == alone)
    }
}
