import Foundation
import Martlet
import MartletTestSupport
import Testing

@Suite struct BudgetCommandTests {
    let runner: CommandRunner

    init() throws {
        runner = try CommandRunner()
        try runner.network()
        try runner.images()
    }

    @Test func oneCommandMeetsABudget() throws {
        let compress = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--budget", "params=0.6", "--gate", "off", "-o",
            "small.onnx", "--json")
        #expect(compress.status == 0, "\(compress.error)")
        let report = try compress.json()
        let (before, after) = (
            try #require(report["parameters_before"] as? Int), try #require(report["parameters_after"] as? Int)
        )
        #expect(Double(after) <= 0.6 * Double(before) && Double(after) >= 0.594 * Double(before))
        #expect(report["predicted_agreement"] is [String: Any])
        let inspect = try runner.martlet("inspect", "small.onnx", "--json")
        #expect(try inspect.json()["parameters"] as? Int == after)
        // Threads change nothing, and nothing is left behind.
        let again = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--budget", "params=0.6", "--gate", "off", "--threads",
            "1", "-o", "again.onnx")
        #expect(again.status == 0, "\(again.error)")
        #expect(again.output.contains("predicted to agree with the original on"))
        let files = try ["small.onnx", "again.onnx"].map {
            try Data(contentsOf: URL(fileURLWithPath: runner.folder.file($0)))
        }
        #expect(files[0] == files[1])
        #expect(try runner.folder.contents() == ["again.onnx", "images.bin", "net.onnx", "small.onnx"])
    }

    @Test func latencyIsMeasuredAndReported() throws {
        let compress = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--budget", "params=0.8", "--gate", "auto",
            "--latency-cache", "times.json", "--weights", "equal", "-o", "small.onnx", "--json")
        #expect(compress.status == 0, "\(compress.error)")
        let report = try compress.json()
        #expect(report["milliseconds_before"] is Double && report["milliseconds_after"] is Double)
        #expect(try runner.folder.contents().contains("times.json"))
    }

    @Test func badBudgetsAreErrors() throws {
        for (budget, text) in [
            ("params=0.0001", "is possible"), ("params=2e9", "is possible"), ("size=3", "is not a budget"),
        ] {
            let result = try runner.martlet(
                "compress", "net.onnx", "--images", "images.bin", "--budget", budget, "--gate", "off", "--weights",
                "equal", "-o", "small.onnx")
            #expect(result.status == 1)
            #expect(result.error.contains(text), "\(result.error)")
        }
        #expect(try runner.folder.contents() == ["images.bin", "net.onnx"])
        for flags in [["--budget", "params=0.5"], ["--recipe", "best", "--images", "images.bin"]] {
            let arguments = flags.joined(separator: " ")
            let result = try runner.shell("\"$MARTLET\" compress net.onnx \(arguments) -o small.onnx")
            #expect(result.status == 64, "\(arguments)")
        }
        try "{\"no-such\": -1}".write(toFile: runner.folder.file("w.json"), atomically: true, encoding: .utf8)
        let weights = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--budget", "params=0.5", "--weights", "w.json", "-o",
            "small.onnx")
        #expect(weights.status == 1 && weights.error.contains("w.json"))
    }

    @Test func paperMeansTheSameAsItsFlags() throws {
        let flags = [
            ["--recipe", "paper", "-o", "a.onnx"],
            ["--method", "tucker2-als-sigma", "--vbmf-ratio", "0.5", "-o", "b.onnx"],
        ]
        for flags in flags {
            let result = try runner.shell(
                "\"$MARTLET\" compress net.onnx --images images.bin \(flags.joined(separator: " "))")
            #expect(result.status == 0, "\(result.error)")
        }
        let files = try ["a.onnx", "b.onnx"].map {
            try Data(contentsOf: URL(fileURLWithPath: runner.folder.file($0)))
        }
        #expect(files[0] == files[1])
    }

    @Test func sweepWritesAllThreeAndResumes() throws {
        func sweep() throws -> CommandRunner.Result {
            try runner.martlet(
                "sweep", "net.onnx", "images.bin", "--images", "images.bin", "--budgets", "0.7,macs=0.6,0.0001",
                "--methods", "best,channel-svd-sigma", "--gate", "off", "--probes", "8", "-o", "out")
        }
        let first = try sweep()
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.contains("is possible"))
        let names = ["sweep.json", "sweep.csv", "sweep.html"]
        func contents() throws -> [Data] {
            try names.map { try Data(contentsOf: URL(fileURLWithPath: runner.folder.file("out/\($0)"))) }
        }
        let before = try contents()
        let result = try JSONDecoder().decode(SweepResult.self, from: before[0])
        #expect(result.points.count == 6)
        #expect(result.points.filter { $0.figures != nil }.count >= 3)
        #expect(result.original.evaluation.agreement == 1)
        // The command of a point makes its network.
        let point = result.points[0]
        let command = point.command.replacingOccurrences(of: "martlet ", with: "\"$MARTLET\" ")
        let made = try runner.shell(command)
        #expect(made.status == 0, "\(made.error)")
        let inspect = try runner.martlet("inspect", "small.onnx", "--json")
        #expect(try inspect.json()["parameters"] as? Int == point.figures?.parameters)
        // A point that is done is taken from where it was put.
        let marked = try FileManager.default.contentsOfDirectory(atPath: runner.folder.file("out/points"))
        #expect(marked.count == 7)
        #expect(try sweep().status == 0)
        #expect(try contents() == before)
    }

    @Test func onePaperRatioMayHaveNoSuchSize() throws {
        let result = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--recipe", "paper", "--budget", "params=0.8",
            "--exclude", "*2*", "-o", "small.onnx")
        #expect(result.status == 1)
        #expect(result.error.contains("cannot be met by one VBMF ratio for all layers"))
        // The size that it names can be had.
        let words = result.error.split(whereSeparator: \.isWhitespace).map(String.init)
        let size = try #require(words.firstIndex(of: "layers:").map { words[$0 + 1] })
        let again = try runner.martlet(
            "compress", "net.onnx", "--images", "images.bin", "--recipe", "paper", "--budget", "params=\(size)",
            "--exclude", "*2*", "-o", "small.onnx")
        #expect(again.status == 0, "\(again.error)")
    }

    @Test func sweepKeepsToTheLayersItIsGiven() throws {
        let result = try runner.martlet(
            "sweep", "net.onnx", "images.bin", "--images", "images.bin", "--budgets", "0.75", "--methods",
            "channel-svd-sigma,paper", "--gate", "off", "--weights", "equal", "--linear", "keep", "--exclude", "*2*",
            "-o", "out")
        #expect(result.status == 0, "\(result.error)")
        let text = try Data(contentsOf: URL(fileURLWithPath: runner.folder.file("out/sweep.json")))
        let points = try JSONDecoder().decode(SweepResult.self, from: text).points
        #expect(points.count == 2)
        for point in points {
            #expect(point.command.contains("--linear keep --exclude '*2*'"))
            let replaced = point.layers.filter { $0.kept == nil }.map(\.name)
            #expect(!replaced.isEmpty, "\(point.method): \(point.problem ?? "") \(point.layers.map(\.name))")
            #expect(replaced.allSatisfy { !$0.contains("2") && !$0.contains("fc") })
            let made = try runner.shell(point.command.replacingOccurrences(of: "martlet ", with: "\"$MARTLET\" "))
            #expect(made.status == 0, "\(made.error)")
            let inspect = try runner.martlet("inspect", "small.onnx", "--json")
            #expect(try inspect.json()["parameters"] as? Int == point.figures?.parameters)
        }
    }
}
