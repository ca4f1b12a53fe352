import Foundation
import MartletFiles

/// Where ranks come from.
public enum RankChoice: Sendable, Equatable {
    /// `R = R_max - ratio (R_max - R_VBMF)` (paper, equation 2): 0 keeps everything, 1 takes VBMF's estimate.
    case vbmf(ratio: Double)
    /// The ranks of each layer by name, as many as its method's form has; layers not named are left alone.
    case explicit([String: [Int]])

    /// The ranks in a JSON file that maps layer names to lists: `[output rank, input rank]` for Tucker-2, `[rank]` for all
    /// other forms.
    /// - Throws: ``CompressionError/ranksFile(file:reason:)``, `FileError`.
    public init(contentsOf path: String) throws {
        let data = try MappedFile(path: path).withUnsafeBytes { Data($0) }
        let ranks: [String: [Int]]
        do {
            ranks = try JSONDecoder().decode([String: [Int]].self, from: data)
        } catch {
            throw CompressionError.ranksFile(
                file: path, reason: "this is not a JSON object of lists of one or two numbers")
        }
        if let odd = ranks.filter({ !(1...2).contains($0.value.count) }).min(by: { $0.key < $1.key }) {
            throw CompressionError.ranksFile(file: path, reason: "layer '\(odd.key)' has \(odd.value.count) ranks")
        }
        self = .explicit(ranks)
    }
}
