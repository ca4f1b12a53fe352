import MartletTensors

/// What can be wrong with a data set.
public enum DataSetError: MartletError, Equatable {
    /// A folder without images.
    case noImages(path: String)
    /// The file is of no kind that is known.
    case unknownKind(path: String)
    /// Images in formats that are not read.
    case unsupportedFiles(path: String, names: [String])
    /// A folder with images both beside and inside its folders.
    case imagesBesideFolders(path: String, image: String, folder: String)
    /// Class folders whose names the class map does not have.
    case foldersNotInClassMap(path: String, folders: [String], classMap: String)
    /// A label by name with nothing to look it up in, or one that is not there or there twice.
    case unknownLabel(path: String, line: Int, label: String, reason: String)
    /// A line of a CSV file that cannot be read.
    case malformedCSV(path: String, line: Int, reason: String)
    /// An image that a list names and that is not there.
    case missingImage(list: String, line: Int, path: String)
    /// A line of a class map that cannot be read.
    case malformedClassMap(path: String, line: Int, reason: String)
    /// A binary file that is no whole number of CIFAR records, or none.
    case recordSizeMismatch(path: String, byteCount: Int)
    /// A label that the format does not have.
    case labelOutOfRange(path: String, record: Int, label: Int, classCount: Int)
    /// A folder with both training and test records.
    case trainingAndTest(path: String, names: [String])
    /// CIFAR-10 and CIFAR-100 records in one folder.
    case mixedKinds(path: String)
    /// An IDX file that is not what its header says.
    case malformedIDX(path: String, reason: String)
    /// A gzip file that cannot be unpacked.
    case cannotUnpack(path: String, reason: String)
    /// Images without labels where a choice by class was asked for.
    case noLabels(path: String)
    /// As many labels as images were expected.
    case labelCountMismatch(images: String, imageCount: Int, labels: String, labelCount: Int)
    /// A subset of no image or fewer.
    case unsupportedLimit(Int)

    public var description: String {
        switch self {
        case .noImages(let path):
            "\(path) holds no PNG or JPEG images, and no folders of them"
        case .unknownKind(let path):
            "\(path) is no data set: neither a folder, a CSV list, CIFAR records (.bin), an IDX file nor an image"
        case .unsupportedFiles(let path, let names):
            "\(path) holds images in formats that are not read: \(DataSetError.list(names))"
        case .imagesBesideFolders(let path, let image, let folder):
            "\(path) holds images of its own (\(image)) and folders of images (\(folder))"
        case .foldersNotInClassMap(let path, let folders, let classMap):
            "\(path): the class map \(classMap) has no class for \(DataSetError.list(folders))"
        case .unknownLabel(let path, let line, let label, let reason):
            "\(path), line \(line): the label \(label) \(reason)"
        case .malformedCSV(let path, let line, let reason):
            "\(path), line \(line): \(reason)"
        case .missingImage(let list, let line, let path):
            "\(list), line \(line): there is no file \(path)"
        case .malformedClassMap(let path, let line, let reason):
            "the class map \(path), line \(line): \(reason)"
        case .recordSizeMismatch(let path, let byteCount):
            "\(path) has \(byteCount) bytes, no whole number of CIFAR-10 (3073) or CIFAR-100 (3074) records"
        case .labelOutOfRange(let path, let record, let label, let classCount):
            "\(path), record \(record): the label \(label) is not one of \(classCount) classes"
        case .trainingAndTest(let path, let names):
            "\(path) holds training and test records: \(DataSetError.list(names))"
        case .mixedKinds(let path):
            "\(path) holds records of both CIFAR-10 and CIFAR-100"
        case .malformedIDX(let path, let reason):
            "\(path) is not an IDX file that can be read: \(reason)"
        case .cannotUnpack(let path, let reason):
            "cannot unpack \(path): \(reason)"
        case .noLabels(let path): "the images of \(path) have no labels to choose by"
        case .labelCountMismatch(let images, let imageCount, let labels, let labelCount):
            "\(images) has \(imageCount) images, \(labels) has \(labelCount) labels"
        case .unsupportedLimit(let limit):
            "\(limit) images were asked for"
        }
    }

    public var remedy: String? {
        switch self {
        case .noImages, .unknownKind:
            "name a folder of images or of class folders, a CSV list of path and label, a CIFAR .bin file or an IDX file"
        case .unsupportedFiles: "convert them to PNG or JPEG, or move them away"
        case .imagesBesideFolders: "keep either the images or the folders"
        case .foldersNotInClassMap:
            "folders are looked up by the first word of a line, then by the rest of it; rename them or correct the map"
        case .unknownLabel: "use class indices, or a class map that has this name once"
        case .malformedCSV: "each line is a path and a label, with a comma between"
        case .missingImage: "paths are relative to the folder of the list"
        case .malformedClassMap: "each line is a class, `wnid name` or `name`; the number of the line is its index"
        case .recordSizeMismatch, .malformedIDX, .cannotUnpack: "the file is damaged or incomplete: fetch it again"
        case .labelOutOfRange, .mixedKinds: "the file is damaged or of another kind"
        case .trainingAndTest: "name the file instead of the folder"
        case .noLabels: "use class folders, a list with labels, or another choice"
        case .labelCountMismatch: "give the images the labels that belong to them"
        case .unsupportedLimit: "ask for at least one"
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
