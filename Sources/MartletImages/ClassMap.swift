import MartletFiles

/// The classes of a network in order: a text file with one class a line, the number of the line (from 0) being its
/// index. If every line starts with a WordNet id (`n01440764 tench`), the id is split off; otherwise the line is the name.
public struct ClassMap: Sendable {
    /// The path it was read from.
    public let path: String
    /// The names in order of index.
    public let names: [String]
    /// The WordNet ids in order of index, if the file has them.
    public let identifiers: [String]?
    private let indices: [String: Int]
    private let repeatedNames: Set<String>

    /// Reads the class map at `path`.
    /// - Throws: ``DataSetError/malformedClassMap(path:line:reason:)``, `FileError`.
    public init(contentsOf path: String) throws {
        try self.init(lines: textLines(of: path), path: path)
    }

    /// The class map of these lines; `path` is what errors call it.
    /// - Throws: ``DataSetError/malformedClassMap(path:line:reason:)``.
    public init(lines: [String], path: String) throws(DataSetError) {
        if lines.isEmpty { throw .malformedClassMap(path: path, line: 1, reason: "the file is empty") }
        let fields = lines.map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        if let blank = fields.firstIndex(where: \.isEmpty) {
            throw .malformedClassMap(path: path, line: blank + 1, reason: "the line is blank")
        }
        self.path = path
        var indices: [String: Int] = [:]
        if fields.allSatisfy({ ClassMap.isWordNetIdentifier($0[0]) }) {
            let identifiers = fields.map { $0[0] }
            for (index, identifier) in identifiers.enumerated() {
                if indices.updateValue(index, forKey: identifier) != nil {
                    throw .malformedClassMap(
                        path: path, line: index + 1, reason: "\(identifier) is there for the second time")
                }
            }
            self.identifiers = identifiers
            names = fields.map { $0.count > 1 ? $0[1] : $0[0] }
        } else {
            identifiers = nil
            names = lines
        }
        var seen: Set<String> = []
        var repeated: Set<String> = []
        for (index, name) in names.enumerated() {
            if !seen.insert(name).inserted { repeated.insert(name) }
            if indices[name] == nil { indices[name] = index }
        }
        self.indices = indices
        // ImageNet has two cranes and two maillots.
        self.repeatedNames = repeated
    }

    /// The number of classes.
    public var count: Int { names.count }

    /// The index of a class by its WordNet id or its full name; `nil` if there is none or the name stands for several.
    public func index(of label: String) -> Int? {
        repeatedNames.contains(label) ? nil : indices[label]
    }

    /// Whether several classes have this name.
    public func isAmbiguous(_ label: String) -> Bool { repeatedNames.contains(label) }

    private static func isWordNetIdentifier(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 9 && bytes[0] == UInt8(ascii: "n")
            && bytes[1...].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// The lines of a text file, without line ends and the empty line after the last of them.
func textLines(of path: String) throws -> [String] {
    let text = try MappedFile(path: path).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
}
