import Foundation
import MartletDecompositions
import MartletFiles
import MartletSafetensorsFormat
import MartletTensors

/// A folder with the layers of a compression that are done, one safetensors file for each, so that an interrupted one can
/// be taken up again.
///
/// A file is found by a digest of everything that its layer depends on (network, statistics, method, ranks, options): what was
/// made under other circumstances is never looked at. Each appears whole or not at all.
public struct FinishedLayers: Sendable {
    /// The folder.
    public let path: String

    /// A folder, which need not exist yet.
    public init(path: String) { self.path = path }

    /// Makes the folder where it does not exist.
    /// - Throws: `FileError`.
    public func prepare() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        } catch CocoaError.fileWriteFileExists {
            return
        } catch {
            throw FileError.cannotWrite(path: path, reason: error.localizedDescription)
        }
    }

    /// Removes the layers, and the folder if nothing else is in it.
    public func remove() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where name.hasSuffix(Self.suffix)
        {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
        // Not recursively: a stranger's file stays, and the folder with it.
        rmdir(path)
    }

    private static let suffix = ".layer.safetensors"
    private static let format = "layer 2"

    private struct Link: Codable {
        var name: String
        var window: String
        var isDepthwise: Bool
    }

    private struct Header: Codable {
        var entry: CompressionReport.Layer
        var links: [Link]
    }

    private func file(_ key: String) -> String { "\(path)/\(key)\(Self.suffix)" }

    func write(_ replacement: LayerReplacement, _ entry: CompressionReport.Layer, key: String) throws {
        let links = replacement.links
        var tensors = try links.map { link in
            try Tensor(link.kernel.elements, shape: try Shape(link.kernel.shape))
        }
        // The corrected bias, if there is one, comes last.
        if let bias = replacement.bias { tensors.append(try Tensor(bias, shape: try Shape([bias.count]))) }
        let header = Header(
            entry: entry,
            links: links.map { Link(name: $0.name, window: $0.window.rawValue, isDepthwise: $0.isDepthwise) })
        let text = String(decoding: try JSONEncoder().encode(header), as: UTF8.self)
        try SafetensorsWriter.write(
            tensors.enumerated().map { ("\($0)", .float64, $1.shape) },
            metadata: ["martlet.format": Self.format, "martlet.layer": text], to: file(key)
        ) { name in tensors[Int(name) ?? 0] }
    }

    /// The layer of a digest; `nil` if there is none, or if the file is not what it should be and the work had better be
    /// done again.
    func read(key: String) -> (replacement: LayerReplacement, entry: CompressionReport.Layer)? {
        guard let reader = try? SafetensorsReader(path: file(key)),
            reader.metadata["martlet.format"] == Self.format, let text = reader.metadata["martlet.layer"],
            let header = try? JSONDecoder().decode(Header.self, from: Data(text.utf8)),
            (header.links.count...header.links.count + 1).contains(reader.names.count)
        else { return nil }
        var links: [FactorLayer] = []
        for (index, link) in header.links.enumerated() {
            guard let tensor = try? reader.tensor("\(index)"), tensor.elementType == .float64, tensor.shape.rank == 4,
                let window = FactorLayer.Window(rawValue: link.window),
                let elements = try? tensor.elements(Double.self),
                let kernel = try? ConvolutionKernel(
                    outputs: tensor.shape[0], inputs: tensor.shape[1], height: tensor.shape[2], width: tensor.shape[3],
                    elements: elements)
            else { return nil }
            links.append(FactorLayer(link.name, kernel, window: window, isDepthwise: link.isDepthwise))
        }
        var bias: [Double]?
        if reader.names.count > links.count {
            guard let tensor = try? reader.tensor("\(links.count)"), tensor.elementType == .float64,
                tensor.shape.extents == [links.last?.kernel.outputs ?? 0],
                let elements = try? tensor.elements(Double.self)
            else { return nil }
            bias = elements
        }
        return (LayerReplacement(links: links, bias: bias), header.entry)
    }
}
