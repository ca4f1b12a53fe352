import MartletFiles

/// Images in files of their own: a folder, class folders, or a list.
public struct ImageFiles: DataSet {
    struct Entry {
        let path: String
        let name: String
        let label: Int?
    }

    public let path: String
    public let labelSource: LabelSource
    public let classNames: [String]?
    public let description: String
    private let entries: [Entry]

    /// The image files at `paths`, in that order, without labels.
    /// - Throws: ``DataSetError/noImages(path:)`` for none.
    public init(paths: [String]) throws(DataSetError) {
        try self.init(
            path: paths.first ?? "the list", entries: paths.map { Entry(path: $0, name: $0, label: nil) },
            labelSource: .none, classNames: nil, kind: "named one by one")
    }

    init(
        path: String, entries: [Entry], labelSource: LabelSource, classNames: [String]?, kind: String
    ) throws(DataSetError) {
        if entries.isEmpty { throw .noImages(path: path) }
        self.path = path
        self.entries = entries
        self.labelSource = labelSource
        self.classNames = classNames
        self.description = "\(entries.count) images \(kind)"
    }

    public var count: Int { entries.count }

    public func sample(at index: Int) throws -> Sample {
        let entry = entries[index]
        return Sample(image: try Image(contentsOf: entry.path), label: entry.label, name: entry.name)
    }

    public func label(at index: Int) -> Int? { entries[index].label }

    public func name(at index: Int) -> String { entries[index].name }

    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        try MappedFile(path: entries[index].path).withUnsafeBytes(body)
    }
}

extension ImageFiles {
    private static let readSuffixes: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif"]
    private static let otherSuffixes: Set<String> = [
        "bmp", "gif", "tif", "tiff", "webp", "avif", "heic", "heif", "jxl", "jp2", "ppm", "pgm", "tga",
    ]

    static func isImage(_ name: String) -> Bool { readSuffixes.contains(FileSystem.suffix(of: name)) }

    /// The names in `folder` that say they are images.
    /// - Throws: ``DataSetError/unsupportedFiles(path:names:)`` if some are in formats that are not read: to pass over
    ///   them would be to measure something else.
    static func imageNames(in folder: String, among names: [String]) throws(DataSetError) -> [String] {
        let others = names.filter { otherSuffixes.contains(FileSystem.suffix(of: $0)) }
        if !others.isEmpty { throw .unsupportedFiles(path: folder, names: others) }
        return names.filter { isImage($0) && FileSystem.kind(of: FileSystem.join(folder, $0)) == .file }
    }

    /// A folder of images, or of class folders of images. Files of other kinds are passed over, hidden ones too; class
    /// folders are not searched any deeper.
    static func folder(_ path: String, classMap: ClassMap?) throws -> ImageFiles {
        let names = try FileSystem.visibleNames(in: path)
        let images = try imageNames(in: path, among: names)
        var folders: [(name: String, images: [String])] = []
        for name in names {
            let inner = FileSystem.join(path, name)
            guard FileSystem.kind(of: inner) == .folder else { continue }
            folders.append((name, try imageNames(in: inner, among: FileSystem.visibleNames(in: inner))))
        }
        let filled = folders.first { !$0.images.isEmpty }
        if let image = images.first {
            if let filled {
                throw DataSetError.imagesBesideFolders(path: path, image: image, folder: filled.name)
            }
            return try ImageFiles(
                path: path,
                entries: images.map { Entry(path: FileSystem.join(path, $0), name: $0, label: nil) },
                labelSource: .none, classNames: classMap?.names, kind: "in the folder \(FileSystem.lastName(of: path))")
        }
        if filled == nil { throw DataSetError.noImages(path: path) }
        return try classFolders(path, folders, classMap)
    }

    private static func classFolders(
        _ path: String, _ folders: [(name: String, images: [String])], _ classMap: ClassMap?
    ) throws(DataSetError) -> ImageFiles {
        if let classMap {
            let strangers = folders.map(\.name).filter { classMap.index(of: $0) == nil }
            if !strangers.isEmpty {
                throw .foldersNotInClassMap(path: path, folders: strangers, classMap: classMap.path)
            }
        }
        var entries: [Entry] = []
        for (order, folder) in folders.enumerated() {
            let label = classMap.map { $0.index(of: folder.name) } ?? order
            for image in folder.images {
                let name = FileSystem.join(folder.name, image)
                entries.append(Entry(path: FileSystem.join(path, name), name: name, label: label))
            }
        }
        return try ImageFiles(
            path: path, entries: entries, labelSource: classMap == nil ? .folderOrder : .classMap,
            classNames: classMap?.names ?? folders.map(\.name),
            kind: "in \(folders.count) class folders of \(FileSystem.lastName(of: path))")
    }
}
