extension ImageFiles {
    /// A CSV file of path and label: paths relative to its folder (or absolute), labels as class indices or as names
    /// that the class map has. A first line of `path,label` or the like is passed over, as are blank lines. Without a
    /// second column there are no labels. Fields may be quoted as in RFC 4180, though not across lines.
    static func list(_ path: String, classMap: ClassMap?) throws -> ImageFiles {
        let folder = FileSystem.folder(of: path)
        var entries: [Entry] = []
        for (number, text) in try textLines(of: path).enumerated() {
            let line = number + 1
            if text.allSatisfy(\.isWhitespace) { continue }
            guard let fields = csvFields(text) else {
                throw DataSetError.malformedCSV(path: path, line: line, reason: "a quotation mark without its partner")
            }
            if line == 1, headerNames.contains(fields[0].lowercased()) { continue }
            guard fields.count <= 2, !fields[0].isEmpty else {
                throw DataSetError.malformedCSV(path: path, line: line, reason: "expected a path and a label")
            }
            let label = try fields.count == 2 ? self.label(fields[1], classMap, path, line) : nil
            if let first = entries.first, (first.label == nil) != (label == nil) {
                throw DataSetError.malformedCSV(
                    path: path, line: line, reason: "some lines have a label and some have none")
            }
            let image = fields[0].hasPrefix("/") ? fields[0] : FileSystem.join(folder, fields[0])
            guard FileSystem.kind(of: image) == .file else {
                throw DataSetError.missingImage(list: path, line: line, path: image)
            }
            entries.append(Entry(path: image, name: fields[0], label: label))
        }
        let isLabelled = entries.first?.label != nil
        return try ImageFiles(
            path: path, entries: entries, labelSource: isLabelled ? .stated : .none, classNames: classMap?.names,
            kind: "listed in \(FileSystem.lastName(of: path))")
    }

    private static let headerNames: Set<String> = [
        "path", "file", "filename", "file_name", "image", "image_path", "name",
    ]

    private static func label(
        _ text: String, _ classMap: ClassMap?, _ path: String, _ line: Int
    ) throws(DataSetError) -> Int {
        if let index = Int(text) {
            if index >= 0 { return index }
            throw .unknownLabel(path: path, line: line, label: text, reason: "is negative")
        }
        guard let classMap else {
            throw .unknownLabel(path: path, line: line, label: text, reason: "is a name, and there is no class map")
        }
        guard let index = classMap.index(of: text) else {
            let reason = classMap.isAmbiguous(text) ? "stands for several classes of" : "is not in the class map"
            throw .unknownLabel(path: path, line: line, label: text, reason: "\(reason) \(classMap.path)")
        }
        return index
    }
}

/// The fields of one line of a CSV file, blanks around them removed; `nil` if a quotation mark is not closed.
func csvFields(_ line: String) -> [String]? {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var wasQuoted = false
    var characters = Array(line)[...]
    func finished() -> String { wasQuoted ? field : trimmed(field) }
    while let character = characters.popFirst() {
        if isQuoted {
            if character != "\"" {
                field.append(character)
            } else if characters.first == "\"" {
                field.append("\"")
                characters.removeFirst()
            } else {
                isQuoted = false
            }
        } else if character == "\"", field.allSatisfy(\.isWhitespace) {
            isQuoted = true
            wasQuoted = true
            field = ""
        } else if character == "," {
            fields.append(finished())
            field = ""
            wasQuoted = false
        } else {
            field.append(character)
        }
    }
    if isQuoted { return nil }
    fields.append(finished())
    return fields
}

private func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
}
