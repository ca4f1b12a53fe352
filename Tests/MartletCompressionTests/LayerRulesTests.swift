import Foundation
import MartletCompression
import MartletDecompositions
import MartletNetworks
import MartletParallelism
import MartletTensors
import MartletTestSupport
import Testing

@Suite struct LayerRulesTests {
    let pool = ThreadPool(threadCount: 2)

    @Test(arguments: [
        ("conv1", "conv1", true), ("conv1", "conv11", false), ("*", "", true), ("*", "/a/b", true), ("", "", true),
        ("", "a", false), ("/layer?/*conv2*", "/layer3/x.conv2/Conv", true), ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false), ("?", "é", true), ("??", "a", false), ("*a", "baa", true), ("a**", "a", true),
    ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    private func kept(_ change: (inout Compressor) -> Void) throws -> [String: String] {
        var compressor = Compressor(method: .tucker2ALS, ranks: .vbmf(ratio: 0.9), pool: pool)
        change(&compressor)
        let report = try compressor.compress(try SmallNetwork.residual(), statistics: nil).report
        return Dictionary(uniqueKeysWithValues: report.layers.map { ($0.name, $0.kept ?? $0.method?.rawValue ?? "") })
    }

    @Test func decideOnEachLayer() throws {
        #expect(
            try kept { $0.rules.methods = [.convolution: .cpALS, .pointwise: .svd, .fullyConnected: .svd] } == [
                "stem": "first convolution", "block.1": "cp-als", "block.2": "cp-als", "down": "cp-als", "point": "svd",
                "fc": "svd",
            ])
        #expect(
            try kept {
                $0.rules.include = [NamePattern("block*"), NamePattern("down")]
                $0.rules.exclude = [NamePattern("*.2")]
            } == [
                "stem": "not included", "block.1": "tucker2-als", "block.2": "excluded", "down": "tucker2-als",
                "point": "not included", "fc": "not included",
            ])
        #expect(
            try kept {
                $0.rules.methods = [:]
                var (keep, cp, linear) = (LayerOverrides.Entry(), LayerOverrides.Entry(), LayerOverrides.Entry())
                keep.keeps = true
                cp.method = .cpALS
                cp.ranks = [3]
                linear.method = .svd
                linear.vbmfRatio = 1
                $0.rules.overrides = LayerOverrides([
                    "block.1": keep, "block*": cp, "b*": linear, "fc": linear, "stem": cp,
                ])
            } == [
                "stem": "cp-als", "block.1": "by override", "block.2": "cp-als", "down": "convolution",
                "point": "pointwise", "fc": "svd",
            ])
    }

    @Test func refuseWhatMakesNoSense() throws {
        #expect(throws: CompressionError.methodNotForLayer(method: "svd", kind: "convolution")) {
            try kept { $0.rules.methods = [.convolution: .svd] }
        }
        for change: (inout LayerRules) -> Void in [
            { $0.include = [NamePattern("nobody*")] }, { $0.exclude = [NamePattern("nobody*")] },
            { $0.overrides = LayerOverrides(["nobody*": LayerOverrides.Entry()]) },
        ] {
            #expect {
                try kept { change(&$0.rules) }
            } throws: { error in
                if case CompressionError.unknownLayer(name: "nobody*", _) = error { true } else { false }
            }
        }
        var wrong = LayerOverrides.Entry()
        wrong.ranks = [3]
        #expect(throws: CompressionError.rankOutOfRange(layer: "down", ranks: [3], maximum: [12, 8])) {
            try kept { $0.rules.overrides = LayerOverrides(["down": wrong]) }
        }
        // A method by override that is not for the layer leaves it as it is, and says so.
        var svd = LayerOverrides.Entry()
        svd.method = .svd
        #expect(
            try kept { $0.rules.overrides = LayerOverrides(["down": svd]) }["down"]
                == "svd is not for convolution layers")
    }

    @Test func readOverridesFromAFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("layers.json")
        func read(_ text: String) throws -> LayerOverrides {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return try LayerOverrides(contentsOf: path)
        }
        let overrides = try read(
            #"{"a": {"method": "cp-als", "ranks": [3]}, "b*": {"method": "keep"}, "c": {"vbmf_ratio": 1}}"#)
        #expect(overrides.entry(for: "a")?.method == .cpALS)
        #expect(overrides.entry(for: "a")?.ranks == [3])
        #expect(overrides.entry(for: "bcd")?.keeps == true)
        #expect(overrides.entry(for: "c")?.vbmfRatio == 1)
        #expect(overrides.entry(for: "d") == nil)
        for text in [
            "", "[]", "3", #"{"a": 3}"#, #"{"a": {"method": "magic"}}"#, #"{"a": {"method": 3}}"#,
            #"{"a": {"ranks": 3}}"#, #"{"a": {"ranks": [1.5]}}"#, #"{"a": {"rank": [3]}}"#,
            #"{"a": {"vbmf_ratio": 2}}"#,
            #"{"a": {"ranks": [99999999999999999999]}}"#, #"{"a": {"method": null}}"#,
        ] {
            #expect(throws: CompressionError.self, "\(text)") { try read(text) }
        }
    }
}
