import MartletFiles

/// Opening data sets of any kind.
public enum DataSets {
    /// Opens what stands at `path`:
    ///
    /// - a folder of class folders of PNG and JPEG images, the class indices from the class map, or without one from the
    ///   order of the folders' names (``LabelSource/folderOrder``);
    /// - a folder of images, without labels;
    /// - a folder of CIFAR record files (`*.bin`), training or test;
    /// - a CSV file (`.csv`) of path and label;
    /// - a CIFAR record file (`.bin`);
    /// - an IDX file of images, plain or gzipped, the labels beside it;
    /// - a single image.
    ///
    /// The order is that of the names' bytes, or the file's own; hidden files are passed over, links followed.
    /// - Parameter classMap: the path of a class map, one class a line (``ClassMap``).
    /// - Throws: ``DataSetError``, `FileError`.
    public static func open(_ path: String, labels classMap: String? = nil) throws -> any DataSet {
        let classMap = try classMap.map { try ClassMap(contentsOf: $0) }
        if FileSystem.kind(of: path) == .folder {
            if let records = try CIFARRecords.recordFiles(in: path) {
                return try CIFARRecords(path: path, paths: records, classMap: classMap)
            }
            return try ImageFiles.folder(path, classMap: classMap)
        }
        let content = try MappedFile(path: path).withUnsafeBytes(Content.init)
        switch (content, FileSystem.suffix(of: path)) {
        case (.image, _):
            return try ImageFiles(
                path: path, entries: [ImageFiles.Entry(path: path, name: FileSystem.lastName(of: path), label: nil)],
                labelSource: .none, classNames: classMap?.names, kind: "(\(FileSystem.lastName(of: path)))")
        case (.gzip, _):
            return try IDXImages(path: path, classMap: classMap)
        case (.idx, let suffix) where suffix != "bin":
            return try IDXImages(path: path, classMap: classMap)
        case (_, "bin"):
            return try CIFARRecords(path: path, paths: [path], classMap: classMap)
        case (_, "csv"):
            return try ImageFiles.list(path, classMap: classMap)
        default:
            throw DataSetError.unknownKind(path: path)
        }
    }

    private enum Content {
        case image, gzip, idx, other

        init(_ bytes: UnsafeRawBufferPointer) {
            if ImageFormat(of: bytes) != nil {
                self = .image
            } else if Gzip.isGzip(bytes) {
                self = .gzip
            } else {
                self = IDXArray.isIDX(bytes) ? .idx : .other
            }
        }
    }
}
