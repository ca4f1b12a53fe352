import Foundation
import MartletNetworks
import MartletParallelism
import MartletStatistics
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct StatisticsFileTests {
    let folder: TemporaryFolder
    let network: Network
    let statistics: Statistics

    init() throws {
        folder = try TemporaryFolder()
        network = try SmallNetwork.residual()
        let gatherer = try StatisticsGatherer(network: network, pool: ThreadPool(threadCount: 1))
        var generator = SeededGenerator(seed: 2)
        try gatherer.add(try Tensor(generator.floats(4 * 3 * 144), shape: [4, 3, 12, 12]))
        statistics = try gatherer.statistics(
            data: "noise", dataDigest: "fnv1a64:1", preprocessing: "{}", version: "0.0.1")
    }

    @Test func surviveAFile() throws {
        let path = folder.file("s.safetensors")
        try statistics.write(to: path)
        let read = try Statistics(path: path)
        #expect(read.provenance == statistics.provenance)
        #expect(read.provenance.images == 4)
        #expect(read.layerNames == statistics.layerNames)
        for layer in network.weightedLayers() {
            let (a, b) = (try statistics.moments(of: layer), try read.moments(of: layer))
            #expect(a.count == b.count)
            #expect(try a.secondMoment() == b.secondMoment())
            #expect(a.mean() == b.mean())
        }
        try read.check(against: network)
        try statistics.write(to: folder.file("again"))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: path))
                == Data(contentsOf: URL(fileURLWithPath: folder.file("again"))))
    }

    @Test func refuseAnotherNetwork() throws {
        #expect(throws: StatisticsError.self) { try statistics.check(against: try SmallNetwork.residual(seed: 2)) }
        // Names and documentation do not make another network.
        var renamed = network
        renamed.name = "other"
        renamed[metadata: "martlet.preprocessing"] = "{}"
        try statistics.check(against: renamed)
        // A layer that changed its shape or its name has no statistics.
        var layer = network.weightedLayers()[1]
        layer.inputs += 1
        #expect(throws: StatisticsError.self) { try statistics.moments(of: layer) }
        layer.name = "stranger"
        #expect(throws: StatisticsError.missingLayer(name: "stranger")) { try statistics.moments(of: layer) }
    }

    @Test func refuseDamagedFiles() throws {
        let path = folder.file("s.safetensors")
        try statistics.write(to: path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in [0, 7, 8, 100, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: folder.file("cut")))
            #expect(throws: (any Error).self) { try Statistics(path: folder.file("cut")) }
        }
        // Every byte of the header changed: an error or the same numbers, never a trap.
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<300 {
            var damaged = bytes
            damaged[generator.integer(0...2000)] = UInt8(generator.integer(0...255))
            try damaged.write(to: URL(fileURLWithPath: folder.file("damaged")))
            guard let read = try? Statistics(path: folder.file("damaged")) else { continue }
            for layer in network.weightedLayers() { _ = try? read.moments(of: layer) }
        }
        // A safetensors file of something else.
        let header = Array(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
        let other = [UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header + [0, 0, 0, 0]
        try Data(other).write(to: URL(fileURLWithPath: folder.file("other")))
        #expect(throws: StatisticsError.self) { try Statistics(path: folder.file("other")) }
    }
}
