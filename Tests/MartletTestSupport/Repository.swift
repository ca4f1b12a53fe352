import Foundation

/// Where tests find what is not theirs.
public enum Repository {
    /// The folder of Package.swift.
    public static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }()

    /// A file of the networks and images that are shared beside the repository and not part of it, or `nil`, saying so.
    public static func shared(_ name: String) -> String? {
        let path = URL(fileURLWithPath: root + "/../shared/" + name).standardized.path
        if FileManager.default.fileExists(atPath: path) { return path }
        print("skipped: \(path) is absent")
        return nil
    }
}
