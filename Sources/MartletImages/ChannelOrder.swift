/// Which channels a network is fed, in order.
public enum ChannelOrder: String, Sendable, CaseIterable, CustomStringConvertible {
    /// Red, green, blue.
    case rgb
    /// Blue, green, red, as Caffe's networks want them.
    case bgr
    /// Luma alone.
    case grey

    /// The number of channels: 1 or 3.
    public var count: Int { self == .grey ? 1 : 3 }

    /// The name, `rgb`.
    public var description: String { rawValue }
}
