import Foundation

/// Where things lie.
enum NetworkFiles {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The networks of `models`, and those of `../shared/models` where that folder exists.
    static var realNetworks: [URL] {
        [root.appendingPathComponent("models"), root.appendingPathComponent("../shared/models")].flatMap { folder in
            guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
                print("skipped: \(folder.standardizedFileURL.path) is not there")
                return [URL]()
            }
            return files.filter { $0.hasSuffix(".onnx") }.sorted().map { folder.appendingPathComponent($0) }
        }
    }
}
