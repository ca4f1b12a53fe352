import Foundation
import MartletFiles
import MartletTensors
import Testing

@testable import MartletImages

/// What tools/make-image-goldens.py wrote.
struct Goldens: Decodable {
    struct Stored: Decodable {
        let offset, width, height, channels: Int
        let file: String?
        let filter: String?
        let source: [Int]?

        var shape: [Int] { [width, height, channels] }
    }

    struct Prepared: Decodable {
        let preset: String
        let source: [Int]
        let shape: [Int]
        let digest: String
        let places: [Int]
        let values: [Double]
    }

    struct Shared: Decodable {
        let file, decoded, imagenet, clip: String
    }

    let png, jpeg, resize: [Stored]
    let preprocessing: [Prepared]
    let shared: [Shared]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens")

    static func load() throws -> (index: Goldens, pixels: [UInt8]) {
        let index = try Data(contentsOf: folder.appendingPathComponent("index.json"))
        let pixels = try Data(contentsOf: folder.appendingPathComponent("pixels.bin"))
        return (try JSONDecoder().decode(Goldens.self, from: index), [UInt8](pixels))
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }
}

/// The folder of real networks and images beside the repository, if it is there.
func sharedFolder() -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let folder = root.deletingLastPathComponent().appendingPathComponent("shared").path
    if FileManager.default.fileExists(atPath: folder + "/data") { return folder }
    print("skipped: there is no folder \(folder)")
    return nil
}

/// The source image of golden resizes, by the same formula as in the script.
func pattern(_ width: Int, _ height: Int, _ channels: Int) throws -> Image {
    var pixels: [UInt8] = []
    for y in 0..<height {
        for x in 0..<width {
            for c in 0..<channels {
                let steps = (x / 9 + y / 7) % 2 * 128
                pixels.append(UInt8((x * x * 3 + y * y * 5 + x * y * 7 + c * 83 + steps) % 256))
            }
        }
    }
    return try Image(width: width, height: height, channels: channels, pixels: pixels)
}

func hash(_ bytes: [UInt8]) -> String {
    var hash = FNV1a()
    bytes.withUnsafeBytes { hash.addBare($0) }
    return hash.text
}

extension Image {
    var shape: [Int] { [width, height, channels] }
}

/// The largest difference between two lists of grey levels.
func largestDifference(_ a: some Sequence<UInt8>, _ b: some Sequence<UInt8>) -> Int {
    zip(a, b).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}

/// A folder that is gone when its last owner is.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-images-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let file = path + "/" + name
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
}

/// The generator of the sources, under a seed.
func generator(_ seed: UInt64) -> SplitMix64 { SplitMix64(seed: seed) }
