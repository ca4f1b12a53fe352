import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Gathering Sigma in parts, with interruptions, and within limits.
@Suite struct SigmaTests {
    let runner: CommandRunner

    init() throws {
        runner = try CommandRunner()
        try runner.network()
        try runner.images(count: 70)
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: runner.folder.file(name)))
    }

    /// The largest difference of the second moments of two files, relative to their largest element.
    private func difference(_ first: String, _ second: String) throws -> Double {
        let (a, b) = (
            try Statistics(path: runner.folder.file(first)), try Statistics(path: runner.folder.file(second))
        )
        let layers = try Model(path: runner.folder.file("net.onnx")).network.weightedLayers()
        var largest = 0.0
        for layer in layers {
            let (x, y) = (try a.moments(of: layer), try b.moments(of: layer))
            #expect(x.count == y.count)
            let (p, q) = (try x.secondMoment().elements, try y.secondMoment().elements)
            let scale = p.map(abs).max() ?? 1
            largest = max(largest, zip(p, q).map { abs($0 - $1) }.max().map { $0 / scale } ?? 0)
            for (m, n) in zip(x.mean(), y.mean()) { largest = max(largest, abs(m - n)) }
        }
        return largest
    }

    @Test func shardsAddUp() throws {
        #expect(try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "all").status == 0)
        for shard in 1...3 {
            let result = try runner.martlet(
                "sigma", "net.onnx", "images.bin", "-o", "s\(shard)", "--shard", "\(shard)/3")
            #expect(result.status == 0, "\(result.error)")
        }
        // In any order, and merged ones again.
        #expect(try runner.martlet("sigma", "merge", "s3", "s1", "-o", "s31").status == 0)
        #expect(try runner.martlet("sigma", "merge", "s31", "s2", "-o", "m").status == 0)
        #expect(try runner.martlet("sigma", "merge", "s1", "s2", "s3", "-o", "n").status == 0)
        #expect(try difference("all", "m") < 1e-12)
        #expect(try difference("m", "n") < 1e-12)
        let (m, n) = (try Statistics(path: runner.folder.file("m")), try Statistics(path: runner.folder.file("n")))
        #expect(m.provenance == n.provenance)
        #expect(m.provenance.images == 70 && m.provenance.parts.count == 3)
        #expect(
            try runner.martlet("compress", "net.onnx", "--sigma", "m", "--vbmf-ratio", "0.9", "-o", "small.onnx").status
                == 0)
    }

    @Test func whatDoesNotGoTogetherIsRefused() throws {
        try runner.network("other.onnx", seed: 2)
        #expect(try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "a", "--shard", "1/2").status == 0)
        #expect(try runner.martlet("sigma", "other.onnx", "images.bin", "-o", "b", "--shard", "2/2").status == 0)
        #expect(
            try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "c", "--shard", "2/2", "--mean", "0.3").status
                == 0)
        for (name, reason) in [("b", "different networks"), ("c", "prepared differently"), ("a", "the same images")] {
            let result = try runner.martlet("sigma", "merge", "a", name, "-o", "sum")
            #expect(result.status == 1 && result.error.contains(reason), "\(result.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: runner.folder.file("sum")))
        let empty = try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "d", "--shard", "6/6")
        #expect(empty.status == 1 && empty.error.contains("5 shards at most"), "\(empty.error)")
        #expect(try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "d", "--shard", "3/2").status == 64)
    }

    @Test func anInterruptedRunGoesOnToTheSameBits() throws {
        try runner.images("many.bin", count: 600)
        #expect(try runner.martlet("sigma", "net.onnx", "many.bin", "-o", "all").status == 0)
        // Stopped by a signal as soon as it has said something and there is a checkpoint, twice.
        let script = """
            "$MARTLET" sigma net.onnx many.bin -o part --threads 1 --checkpoint-interval 0 $RESUME 2>err & pid=$!
            for i in $(seq 500); do [ -s err ] && [ -e part.checkpoint ] && break; sleep 0.01; done
            kill -TERM $pid; wait $pid
            """
        for resume in ["", "RESUME=--resume\n"] {
            let stopped = try runner.shell(resume + script)
            #expect(stopped.status == 143)
        }
        let message = try String(contentsOfFile: runner.folder.file("err"), encoding: .utf8)
        #expect(message.contains("--resume"))
        #expect(try runner.folder.contents().contains("part.checkpoint"))
        #expect(try !runner.folder.contents().contains("part"))
        let other = try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "part", "--resume")
        #expect(other.status == 1 && other.error.contains("other images"), "\(other.error)")
        #expect(try runner.martlet("sigma", "net.onnx", "many.bin", "-o", "part", "--resume").status == 0)
        #expect(try bytes("part") == bytes("all"))
        #expect(!FileManager.default.fileExists(atPath: runner.folder.file("part.checkpoint")))
    }

    @Test func littleMemoryMakesSeveralPassesOfIt() throws {
        let whole = try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "all", "--json")
        let expected = try #require(try whole.json()["expectedBytes"] as? Int)
        let passes = try runner.martlet(
            "sigma", "net.onnx", "images.bin", "-o", "part", "--memory", "\(expected - 1)B", "--json")
        #expect(passes.status == 0, "\(passes.error)")
        #expect(try passes.json()["passes"] as? Int == 2)
        #expect(try bytes("part") == bytes("all"))
        #expect(try runner.folder.contents() == ["all", "images.bin", "net.onnx", "part"])
        let none = try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "part", "--memory", "1MiB")
        #expect(none.status == 1 && none.error.contains("allowed"), "\(none.error)")
    }

    @Test func stopsWhenItHasSeenEnough() throws {
        try runner.images("many.bin", count: 600)
        let enough = try runner.martlet("sigma", "net.onnx", "many.bin", "-o", "s", "--until", "60%", "--json")
        #expect(enough.status == 0, "\(enough.error)")
        let figures = try enough.json()
        #expect(figures["hadEnough"] as? Bool == true)
        let images = try #require(figures["images"] as? Int)
        #expect(images < 600)
        let changes = try #require(figures["change"] as? [String: Double])
        #expect(changes.values.allSatisfy { $0 > 0 && $0 <= 0.6 })
        let provenance = try Statistics(path: runner.folder.file("s")).provenance
        #expect(provenance.images == images && provenance.data.contains("seed 0"))
        let all = try runner.martlet("sigma", "net.onnx", "many.bin", "-o", "s", "--until", "0.000001%", "--json")
        #expect(try all.json()["hadEnough"] as? Bool == false)
        #expect(try all.json()["images"] as? Int == 600)
    }

    @Test func proxiesAreResizedAndDrawn() throws {
        func sigma(_ name: String, _ more: String...) throws -> CommandRunner.Result {
            try runner.shell(
                "\"$MARTLET\" sigma net.onnx images.bin -o \(name) --limit 20 \(more.joined(separator: " "))")
        }
        for (name, options) in [
            ("a", "--sample class"), ("b", "--sample class --seed 1"), ("c", "--sample class"),
            ("d", "--proxy-resize 12 --proxy-interpolation bicubic"),
        ] {
            let result = try sigma(name, options)
            #expect(result.status == 0, "\(result.error)")
        }
        #expect(try bytes("a") == bytes("c"))
        #expect(try bytes("a") != bytes("b"))
        #expect(
            try Statistics(path: runner.folder.file("d")).provenance.data.hasSuffix("resized to 12x12 bicubic"))
        #expect(try sigma("e", "--sample nothing").status == 64)
    }
}
