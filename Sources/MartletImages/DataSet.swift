/// One image of a data set.
public struct Sample: Sendable {
    /// The pixels.
    public let image: Image
    /// The class index, where the data set has labels.
    public let label: Int?
    /// The name in the data set: the path below its folder, or `record 12`.
    public let name: String
}

/// Images in a fixed order, read as they are asked for; several threads may ask at once.
public protocol DataSet: Sendable, CustomStringConvertible {
    /// The path it was opened by.
    var path: String { get }
    /// The number of images, at least one.
    var count: Int { get }
    /// Where labels come from.
    var labelSource: LabelSource { get }
    /// The names of the classes by index, where known.
    var classNames: [String]? { get }

    /// The image at an index in `0 ..< count`, decoded.
    /// - Throws: ``ImageError``, `FileError`.
    func sample(at index: Int) throws -> Sample
    /// The label at an index, without decoding.
    func label(at index: Int) -> Int?
    /// The name at an index, without decoding.
    func name(at index: Int) -> String
    /// Calls `body` with the bytes that the image at an index is stored as.
    /// - Throws: `FileError`.
    func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws
}

/// Where the labels of a data set come from.
public enum LabelSource: String, Sendable, Hashable {
    /// There are none.
    case none
    /// The data set's own files state them.
    case stated
    /// Class folders, looked up in a class map.
    case classMap
    /// Class folders, counted in the order of their names: right only if the network's classes are those folders.
    case folderOrder
}

extension DataSet {
    /// Whether the images have labels.
    public var isLabelled: Bool { labelSource != .none }
}
