/// How the products of a layer's patches are added up. All forms give the same sums, but for rounding.
public enum MomentForm: String, CaseIterable, Sendable, Codable {
    /// Every patch written out, and multiplied: `D^2 / 2` multiply-adds a patch.
    case unfolded
    /// One product for each distinct offset between two taps, and the borders corrected.
    case offsets
    /// The offsets' sums by way of the discrete Fourier transform, and the borders corrected.
    case fourier
}
