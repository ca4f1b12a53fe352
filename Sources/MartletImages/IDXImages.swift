import MartletFiles

/// Images in an IDX file (MNIST, LeCun et al. 1998), plain or gzipped: unsigned bytes, `[N, H, W]` grey or
/// `[N, H, W, C]` with one or three channels. Labels are looked for beside the images, under the same name with `labels`
/// for `images` and `idx1` for `idx3` (with or without `.gz`).
public struct IDXImages: DataSet {
    /// No file unpacks to more than this.
    static let maximumByteCount = 1 << 32

    public let path: String
    public let count: Int
    public let classNames: [String]?
    private let height: Int
    private let width: Int
    private let channels: Int
    private let pixels: ArraySlice<UInt8>
    private let labels: [UInt8]?

    /// - Throws: ``DataSetError``, `FileError`.
    init(path: String, classMap: ClassMap?) throws {
        self.path = path
        classNames = classMap?.names
        let array = try IDXArray(path: path)
        let extents = array.extents
        guard extents.count == 3 || extents.count == 4 && (extents[3] == 1 || extents[3] == 3) else {
            throw DataSetError.malformedIDX(path: path, reason: "its extents \(extents) are no list of images")
        }
        (count, height, width) = (extents[0], extents[1], extents[2])
        channels = extents.count == 4 ? extents[3] : 1
        pixels = array.bytes
        guard count > 0 else { throw DataSetError.noImages(path: path) }
        guard Image.isSupported(width: width, height: height) else {
            throw DataSetError.malformedIDX(path: path, reason: "images of \(width)x\(height) pixels")
        }
        guard let labelsPath = IDXImages.labelsPath(for: path) else {
            labels = nil
            return
        }
        let labels = try IDXArray(path: labelsPath)
        guard labels.extents.count == 1 else {
            throw DataSetError.malformedIDX(path: labelsPath, reason: "its extents \(labels.extents) are no list")
        }
        guard labels.bytes.count == count else {
            throw DataSetError.labelCountMismatch(
                images: path, imageCount: count, labels: labelsPath, labelCount: labels.bytes.count)
        }
        self.labels = Array(labels.bytes)
    }

    public var labelSource: LabelSource { labels == nil ? .none : .stated }

    public var description: String {
        "\(count) images of \(width)x\(height) pixels in \(FileSystem.lastName(of: path))"
    }

    public func label(at index: Int) -> Int? { labels.map { Int($0[index]) } }

    public func name(at index: Int) -> String { "image \(index)" }

    public func sample(at index: Int) throws -> Sample {
        let image = Image(unchecked: Array(stored(at: index)), width: width, height: height, channels: channels)
        return Sample(image: image, label: label(at: index), name: name(at: index))
    }

    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        stored(at: index).withUnsafeBytes(body)
    }

    private func stored(at index: Int) -> ArraySlice<UInt8> {
        let length = height * width * channels
        let start = pixels.startIndex + index * length
        return pixels[start..<start + length]
    }

    private static func labelsPath(for path: String) -> String? {
        let name = FileSystem.lastName(of: path)
        var labelsName = name.replacing("images", with: "labels")
        if labelsName == name { return nil }
        labelsName = labelsName.replacing("idx3", with: "idx1").replacing("idx4", with: "idx1")
        let bare = labelsName.hasSuffix(".gz") ? String(labelsName.dropLast(3)) : labelsName
        return [labelsName, bare, bare + ".gz"].map { FileSystem.join(FileSystem.folder(of: path), $0) }
            .first { FileSystem.kind(of: $0) == .file }
    }
}

/// An IDX file of unsigned bytes: two zeros, the type (8), the number of extents, the extents as big-endian 32-bit
/// numbers, the elements.
struct IDXArray {
    let extents: [Int]
    let bytes: ArraySlice<UInt8>

    /// Whether the bytes begin as an IDX file of unsigned bytes does.
    static func isIDX(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 4 && bytes.starts(with: [0, 0, 8]) && (1...4).contains(bytes[3])
    }

    /// - Throws: ``DataSetError``, `FileError`.
    init(path: String) throws {
        let content: [UInt8] = try MappedFile(path: path).withUnsafeBytes { bytes in
            if Gzip.isGzip(bytes) {
                return try Gzip.unpacked(bytes, path: path, limit: IDXImages.maximumByteCount)
            }
            return Array(bytes)
        }
        try self.init(content, path: path)
    }

    init(_ content: [UInt8], path: String) throws(DataSetError) {
        guard content.withUnsafeBytes(IDXArray.isIDX) else {
            throw .malformedIDX(path: path, reason: "it does not begin with 0 0 8 and a number of extents to 4")
        }
        let rank = Int(content[3])
        let headerLength = 4 + 4 * rank
        guard content.count >= headerLength else { throw .malformedIDX(path: path, reason: "its header is cut short") }
        extents = (0..<rank).map { axis in
            content[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
        }
        var expected = 1
        for extent in extents {
            let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw .malformedIDX(path: path, reason: "the extents \(extents) are too large") }
            expected = product
        }
        bytes = content[headerLength...]
        guard bytes.count == expected else {
            throw .malformedIDX(
                path: path, reason: "\(bytes.count) bytes follow a header that announces \(expected) (\(extents))")
        }
    }
}
