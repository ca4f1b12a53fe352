import MartletFiles

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of one label byte, or a coarse and a fine one,
/// and 32x32 pixels plane by plane, red, green, blue.
public struct CIFARRecords: DataSet {
    /// Which of the two.
    enum Kind {
        case cifar10, cifar100

        var labelBytes: Int { self == .cifar10 ? 1 : 2 }
        var recordLength: Int { labelBytes + 3072 }
        var classCount: Int { self == .cifar10 ? 10 : 100 }
        var namesFile: String { self == .cifar10 ? "batches.meta.txt" : "fine_label_names.txt" }
        var name: String { self == .cifar10 ? "CIFAR-10" : "CIFAR-100" }
    }

    public let path: String
    public let classNames: [String]?
    /// One file's records after another's.
    public let count: Int
    public var labelSource: LabelSource { .stated }
    private let kind: Kind
    private let files: [MappedFile]
    private let firstRecords: [Int]

    /// The records of the files at `paths`, one after another.
    /// - Parameter path: what the data set was opened by: one of them, or the folder they are in.
    /// - Throws: ``DataSetError``, `FileError`.
    init(path: String, paths: [String], classMap: ClassMap?) throws {
        var kinds: Set<Kind> = []
        var firstRecords: [Int] = []
        var count = 0
        files = try paths.map { try MappedFile(path: $0) }
        for file in files {
            let kind = try CIFARRecords.kind(of: file)
            kinds.insert(kind)
            firstRecords.append(count)
            count += file.byteCount / kind.recordLength
        }
        guard let kind = kinds.first else { throw DataSetError.noImages(path: path) }
        guard kinds.count == 1 else { throw DataSetError.mixedKinds(path: path) }
        self.path = path
        self.kind = kind
        self.count = count
        self.firstRecords = firstRecords
        let namesPath = FileSystem.join(FileSystem.folder(of: paths[0]), kind.namesFile)
        let names = FileSystem.kind(of: namesPath) == .file ? try ClassMap(contentsOf: namesPath).names : nil
        classNames = classMap?.names ?? (names?.count == kind.classCount ? names : nil)
        for index in 0..<count {
            let label = storedLabel(at: index)
            if label >= kind.classCount {
                throw DataSetError.labelOutOfRange(
                    path: path, record: index, label: label, classCount: kind.classCount)
            }
        }
    }

    public var description: String {
        "\(count) \(kind.name) records of \(FileSystem.lastName(of: path))"
    }

    public func label(at index: Int) -> Int? { storedLabel(at: index) }

    public func name(at index: Int) -> String { "record \(index)" }

    public func sample(at index: Int) throws -> Sample {
        let image = withRecord(at: index) { record in
            let planes = UnsafeRawBufferPointer(rebasing: record[kind.labelBytes...])
            let pixels = [UInt8](unsafeUninitializedCapacity: 3072) { target, initialized in
                for i in 0..<1024 {
                    for channel in 0..<3 { target[3 * i + channel] = planes[1024 * channel + i] }
                }
                initialized = 3072
            }
            return Image(unchecked: pixels, width: 32, height: 32, channels: 3)
        }
        return Sample(image: image, label: label(at: index), name: name(at: index))
    }

    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        withRecord(at: index) { body(UnsafeRawBufferPointer(rebasing: $0[kind.labelBytes...])) }
    }

    private func storedLabel(at index: Int) -> Int {
        withRecord(at: index) { Int($0[kind.labelBytes - 1]) }
    }

    private func withRecord<Result>(at index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
        let file = firstRecords.lastIndex { $0 <= index } ?? 0
        let start = (index - firstRecords[file]) * kind.recordLength
        return files[file].withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[start..<start + kind.recordLength]))
        }
    }

    /// Told by the size of the file; if both kinds fit, by its name; if that says nothing, by the labels.
    private static func kind(of file: MappedFile) throws(DataSetError) -> Kind {
        let fitting = [Kind.cifar10, .cifar100].filter { file.byteCount > 0 && file.byteCount % $0.recordLength == 0 }
        guard let first = fitting.first else {
            throw .recordSizeMismatch(path: file.path, byteCount: file.byteCount)
        }
        if fitting.count == 1 { return first }
        let name = FileSystem.lastName(of: file.path)
        if name.contains("batch") { return .cifar10 }
        if name == "train.bin" || name == "test.bin" { return .cifar100 }
        let length = Kind.cifar10.recordLength
        return file.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: length).allSatisfy { bytes[$0] < 10 } ? .cifar10 : .cifar100
        }
    }
}

extension CIFARRecords {
    /// The record files in a folder, if that is what it holds.
    /// - Throws: ``DataSetError/trainingAndTest(path:names:)``.
    static func recordFiles(in folder: String) throws -> [String]? {
        let names = try FileSystem.visibleNames(in: folder).filter {
            FileSystem.suffix(of: $0) == "bin" && FileSystem.kind(of: FileSystem.join(folder, $0)) == .file
        }
        if names.isEmpty { return nil }
        let tests = names.filter { $0.hasPrefix("test") }
        if !tests.isEmpty, tests.count < names.count {
            throw DataSetError.trainingAndTest(path: folder, names: names)
        }
        return names.map { FileSystem.join(folder, $0) }
    }
}
