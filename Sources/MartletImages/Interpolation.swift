#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How pixels between pixels are made up; the filters are Pillow's, which widen when the image shrinks (antialiasing).
public enum Interpolation: String, Sendable, CaseIterable, Codable, CustomStringConvertible {
    /// The nearest pixel, no filter.
    case nearest
    /// The mean of the pixels covered.
    case box
    /// A triangle two pixels wide.
    case bilinear
    /// A Hamming-windowed sinc two pixels wide.
    case hamming
    /// Keys' cubic, a = -0.5, four pixels wide.
    case bicubic
    /// A Lanczos-windowed sinc, six pixels wide.
    case lanczos

    /// The name, `bilinear`.
    public var description: String { rawValue }

    /// The filter that Pillow (and Hugging Face's `resample`) gives this number.
    init?(pillowCode: Int) {
        switch pillowCode {
        case 0: self = .nearest
        case 1: self = .lanczos
        case 2: self = .bilinear
        case 3: self = .bicubic
        case 4: self = .box
        case 5: self = .hamming
        default: return nil
        }
    }

    /// Half the width of the filter in pixels of the larger grid. The nearest pixel has none.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The weight at a distance from the centre, before normalisation.
    func weight(at distance: Double) -> Double {
        switch self {
        case .nearest: return 0
        case .box: return distance > -0.5 && distance <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(distance))
        case .hamming:
            let x = abs(distance)
            if x == 0 { return 1 }
            if x >= 1 { return 0 }
            return sin(x * .pi) / (x * .pi) * (0.54 + 0.46 * cos(x * .pi))
        case .bicubic:
            let a = -0.5
            let x = abs(distance)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        case .lanczos: return distance >= -3 && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0
        }
    }
}

private func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(x * .pi) / (x * .pi)
}
