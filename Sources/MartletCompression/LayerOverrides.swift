import Foundation
import MartletDecompositions
import MartletFiles

/// What is said about single layers, by name or pattern.
///
/// As JSON, an object that maps names or patterns to objects of `method` (a method's name, or `keep`), `ranks` and
/// `vbmf_ratio`, each of which may be left out:
///
///     {"/layer4/*": {"method": "cp-als-sigma", "vbmf_ratio": 0.8}, "/fc/Gemm": {"method": "svd-sigma", "ranks": [128]}}
public struct LayerOverrides: Sendable, Equatable {
    /// What is said about a layer.
    public struct Entry: Sendable, Equatable {
        /// Whether the layer stays as it is.
        public var keeps = false
        /// Why, for the report.
        public var reason: String?
        /// The method; nil is that of the layer's kind.
        public var method: DecompositionMethod?
        /// The ranks; nil is what the rank choice gives.
        public var ranks: [Int]?
        /// The VBMF ratio, instead of the rank choice's.
        public var vbmfRatio: Double?

        public init() {}
    }

    /// By name or pattern.
    public var entries: [String: Entry]

    public init(_ entries: [String: Entry] = [:]) { self.entries = entries }

    /// What is said about a layer: under its own name, else under the longest pattern that matches (of equals, the first in
    /// the alphabet).
    public func entry(for name: String) -> Entry? {
        if let exact = entries[name] { return exact }
        let matching = entries.keys.filter { NamePattern($0).matches(name) }
        return matching.min { ($1.count, $0) < ($0.count, $1) }.flatMap { entries[$0] }
    }

    /// The patterns that match none of these names.
    func strangers(among names: [String]) -> [String] {
        entries.keys.filter { key in !names.contains { $0 == key || NamePattern(key).matches($0) } }.sorted()
    }

    var methods: [DecompositionMethod] { entries.sorted { $0.key < $1.key }.compactMap(\.value.method) }

    /// Reads a file.
    /// - Throws: ``CompressionError/overridesFile(file:reason:)``, `FileError`.
    public init(contentsOf path: String) throws {
        func refuse(_ reason: String) -> CompressionError { .overridesFile(file: path, reason: reason) }
        let data = try MappedFile(path: path).withUnsafeBytes { Data($0) }
        guard let object = try? JSONDecoder().decode([String: [String: Value]].self, from: data) else {
            throw refuse("this is not a JSON object of objects of method, ranks and vbmf_ratio")
        }
        entries = [:]
        for (name, fields) in object.sorted(by: { $0.key < $1.key }) {
            var entry = Entry()
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
                switch (key, value) {
                case ("method", .text("keep")): entry.keeps = true
                case ("method", .text(let text)):
                    guard let method = DecompositionMethod(rawValue: text) else {
                        throw refuse("'\(name)' has the unknown method '\(text)'")
                    }
                    entry.method = method
                case ("ranks", .numbers(let ranks)): entry.ranks = ranks
                case ("vbmf_ratio", .number(let ratio)):
                    guard (0...1).contains(ratio) else { throw CompressionError.ratioOutOfRange(ratio) }
                    entry.vbmfRatio = ratio
                default: throw refuse("'\(name)' has '\(key)', which is unknown or of the wrong kind")
                }
            }
            entries[name] = entry
        }
    }

    private enum Value: Decodable {
        case text(String)
        case number(Double)
        case numbers([Int])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .numbers(try container.decode([Int].self))
            }
        }
    }
}
