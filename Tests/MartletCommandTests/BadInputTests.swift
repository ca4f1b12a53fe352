import Foundation
import Martlet
import MartletTestSupport
import Testing

/// Bad input gets a clear error, exit code 1 (64 for wrong usage), and leaves nothing half-written.
@Suite struct BadInputTests {
    let runner: CommandRunner

    init() throws { runner = try CommandRunner() }

    /// Runs, expects failure with these words on standard error, and no file more or less than before.
    func fails(
        _ words: String..., status: Int32 = 1, _ body: () throws -> CommandRunner.Result,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try runner.folder.contents()
        let result = try body()
        #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
        for word in words { #expect(result.error.contains(word), "\(result.error)", sourceLocation: sourceLocation) }
        #expect(try runner.folder.contents() == before, sourceLocation: sourceLocation)
    }

    func damage(_ name: String, into copy: String, _ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: runner.folder.file(name)))
        change(&data)
        try data.write(to: URL(fileURLWithPath: runner.folder.file(copy)))
    }

    @Test func brokenNetworks() throws {
        try runner.network()
        try fails("error:", "none.onnx", "No such file") { try runner.martlet("inspect", "none.onnx") }
        try damage("net.onnx", into: "cut.onnx") { $0 = $0.prefix($0.count / 2) }
        try fails("cut.onnx", "not an ONNX file, or one cut short") { try runner.martlet("inspect", "cut.onnx") }
        try Data("hello".utf8).write(to: URL(fileURLWithPath: runner.folder.file("text.onnx")))
        try fails("text.onnx") { try runner.martlet("evaluate", "text.onnx", "images.bin") }
        try Data().write(to: URL(fileURLWithPath: runner.folder.file("empty.onnx")))
        try fails("the file is empty") { try runner.martlet("inspect", "empty.onnx") }
        try fails("it is a folder") { try runner.martlet("inspect", ".") }
    }

    @Test func networksOfHugeOrNegativeSize() throws {
        for extents in [[Int64.max, 3, 3, 3], [-8, 3, 3, 3], [1 << 40, 1 << 40], [1 << 30]] {
            try Data(modelWithTensor(extents)).write(to: URL(fileURLWithPath: runner.folder.file("huge.onnx")))
            try fails("huge.onnx", "tensor 'w'") { try runner.martlet("inspect", "huge.onnx") }
        }
        // The same bytes with honest extents are a network.
        try Data(modelWithTensor([1])).write(to: URL(fileURLWithPath: runner.folder.file("sane.onnx")))
        #expect(try runner.martlet("inspect", "sane.onnx").status == 0)
    }

    @Test func brokenImages() throws {
        try runner.network()
        let goldens = Repository.root + "/Tests/MartletImagesTests/Goldens"
        let files = (FileManager.default.subpaths(atPath: goldens) ?? []).sorted()
        for ending in ["png", "jpg"] {
            let name = try #require(files.first { $0.hasSuffix("." + ending) })
            let folder = runner.folder.file("broken-\(ending)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let data = try Data(contentsOf: URL(fileURLWithPath: goldens + "/" + name))
            try data.prefix(data.count * 2 / 3).write(to: URL(fileURLWithPath: "\(folder)/a.\(ending)"))
            try fails("a.\(ending)") {
                try runner.martlet(
                    "sigma", "net.onnx", "broken-\(ending)", "--resize", "12x12", "--crop", "none", "-o", "s")
            }
            try fails("a.\(ending)") {
                try runner.martlet("classify", "net.onnx", "broken-\(ending)/a.\(ending)", "--resize", "12x12")
            }
        }
    }

    @Test func dataThatDoNotFit() throws {
        try runner.network()
        try runner.images()
        try FileManager.default.createDirectory(
            atPath: runner.folder.file("nothing"), withIntermediateDirectories: true)
        try fails("nothing", "no PNG or JPEG") {
            try runner.martlet("sigma", "net.onnx", "nothing", "-o", "s.safetensors")
        }
        // A grey network and colour pictures; an image of the wrong size.
        try runner.network("grey.onnx", channels: 1)
        try fails("channels") {
            try runner.martlet(
                "evaluate", "grey.onnx", "images.bin", "--channels", "rgb", "--mean", "0")
        }
        try fails("--crop") { try runner.martlet("evaluate", "net.onnx", "images.bin", "--crop", "none") }
        // No preprocessing stated anywhere.
        var network = try SmallNetwork.residual()
        network.name = "bare"
        try ONNXWriter.write(network, to: runner.folder.file("bare.onnx"))
        try fails("--preset") { try runner.martlet("evaluate", "bare.onnx", "images.bin") }
    }

    @Test func classMapsThatDoNotMatch() throws {
        try runner.network()
        let goldens = Repository.root + "/Tests/MartletImagesTests/Goldens"
        let picture = try #require(
            (FileManager.default.subpaths(atPath: goldens) ?? []).sorted().first { $0.hasSuffix(".jpg") })
        for name in ["cat", "dog"] {
            let folder = runner.folder.file("data/\(name)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: goldens + "/" + picture, toPath: folder + "/a.jpg")
        }
        try "cat\nbird\n".write(toFile: runner.folder.file("map.txt"), atomically: true, encoding: .utf8)
        try fails("map.txt", "dog") {
            try runner.martlet(
                "evaluate", "net.onnx", "data", "--labels", "map.txt", "--resize", "12x12", "--crop", "none")
        }
        // A class that the network does not have.
        try "x\ny\nz\nw\nv\ncat\ndog\n".write(toFile: runner.folder.file("long.txt"), atomically: true, encoding: .utf8)
        try fails("label 5", "4 classes") {
            try runner.martlet(
                "evaluate", "net.onnx", "data", "--labels", "long.txt", "--resize", "12x12", "--crop", "none")
        }
    }

    @Test func statisticsOfAnotherNetwork() throws {
        try runner.network()
        try runner.network("other.onnx", seed: 2)
        try runner.images()
        let sigma = try runner.martlet("sigma", "other.onnx", "images.bin", "-o", "s.safetensors")
        #expect(sigma.status == 0, "\(sigma.error)")
        try fails("these statistics are of the network") {
            try runner.martlet("compress", "net.onnx", "--sigma", "s.safetensors", "-o", "small.onnx")
        }
        try damage("s.safetensors", into: "cut.safetensors") { $0 = $0.prefix(1000) }
        try fails("cut.safetensors") {
            try runner.martlet("compress", "other.onnx", "--sigma", "cut.safetensors", "-o", "small.onnx")
        }
        try fails("net.onnx") {
            try runner.martlet("compress", "other.onnx", "--sigma", "net.onnx", "-o", "small.onnx")
        }
    }

    @Test func aFullDisk() throws {
        try runner.network()
        try runner.images()
        // A limit on the size of files stands in for the disk's end: the write fails in the middle.
        try fails("cannot write", "s.safetensors", "nothing was left behind") {
            try runner.shell(
                "trap '' XFSZ; ulimit -f 8; exec \"$MARTLET\" sigma net.onnx images.bin -o s.safetensors")
        }
        try fails("cannot write", "small.onnx") {
            try runner.shell(
                "trap '' XFSZ; ulimit -f 1; exec \"$MARTLET\" compress net.onnx --method tucker2-als --vbmf-ratio 0.5 "
                    + "-o small.onnx")
        }
        // What stood there before still does.
        try Data("old".utf8).write(to: URL(fileURLWithPath: runner.folder.file("small.onnx")))
        try fails("cannot write") {
            try runner.shell(
                "trap '' XFSZ; ulimit -f 1; exec \"$MARTLET\" compress net.onnx --method tucker2-als --vbmf-ratio 0.5 "
                    + "-o small.onnx")
        }
        #expect(try String(contentsOfFile: runner.folder.file("small.onnx"), encoding: .utf8) == "old")
        // A folder that is not there is found before the work is done, not after.
        try fails("cannot write", "nowhere/s.safetensors") {
            try runner.martlet("sigma", "net.onnx", "images.bin", "-o", "nowhere/s.safetensors")
        }
    }

    @Test func wrongUsage() throws {
        try runner.network()
        try fails("Usage", status: 64) { try runner.martlet("compress", "net.onnx") }
        try fails("needs --sigma FILE or --images DATA", status: 64) {
            try runner.martlet("compress", "net.onnx", "-o", "small.onnx")
        }
        try fails("--threads", status: 64) { try runner.martlet("inspect", "net.onnx", "--threads", "0") }
        try fails("--limit", status: 64) { try runner.martlet("evaluate", "net.onnx", "x", "--limit", "0") }
        try fails("method", status: 64) { try runner.martlet("compress", "net.onnx", "--method", "magic", "-o", "x") }
        try fails("outside 0 to 1") {
            try runner.martlet(
                "compress", "net.onnx", "--method", "tucker2-als", "--vbmf-ratio", "7", "-o", "small.onnx")
        }
        try fails("unknown", status: 64) { try runner.martlet("inspect", "net.onnx", "--unknown") }
    }

    /// An ONNX model, byte by byte: y = x + w, where w claims these extents and brings four bytes.
    private func modelWithTensor(_ extents: [Int64]) -> [UInt8] {
        func varint(_ value: UInt64) -> [UInt8] {
            value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
        }
        func number(_ field: UInt64, _ value: Int64) -> [UInt8] {
            varint(field << 3) + varint(UInt64(bitPattern: value))
        }
        func message(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
            varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
        }
        func text(_ field: UInt64, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }
        func value(_ name: String) -> [UInt8] {
            text(1, name) + message(2, message(1, number(1, 1) + message(2, message(1, number(1, 1)))))
        }
        let tensor = extents.flatMap { number(1, $0) } + number(2, 1) + text(8, "w") + message(9, [0, 0, 128, 63])
        let node = text(1, "x") + text(1, "w") + text(2, "y") + text(4, "Add")
        let graph =
            message(1, node) + text(2, "g") + message(5, tensor) + message(11, value("x")) + message(12, value("y"))
        return number(1, 8) + message(8, number(2, 17)) + message(7, graph)
    }
}
