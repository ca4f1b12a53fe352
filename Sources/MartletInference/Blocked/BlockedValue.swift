import MartletNetworks

/// A value in blocks of channels, in memory.
struct BlockedValue {
    /// The first float of the border of the first plane.
    let base: UnsafeMutablePointer<Float>
    let layout: BlockedLayout

    /// The first pixel of a plane.
    func plane(image: Int, block: Int) -> UnsafeMutablePointer<Float> {
        base + image * layout.imageStride + block * layout.blockStride + layout.origin
    }
}

/// The bounds between which an activation cuts off, where it is of that kind.
struct ClampBounds {
    var minimum = -Float.infinity
    var maximum = Float.infinity

    init() {}

    /// The bounds of an activation, `nil` if it is more than a clamp.
    init?(_ activation: Activation?) {
        switch activation {
        case nil: break
        case .relu: minimum = 0
        case .clip(let low, let high): (minimum, maximum) = (low, high)
        default: return nil
        }
    }
}
