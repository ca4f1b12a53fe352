/// Sets `count` elements to `value`.
@inline(__always) public func fill(_ target: UnsafeMutablePointer<Float>, count: Int, with value: Float) {
    for i in 0..<count { target[i] = value }
}

/// Repeats one element of `elementBytes` (1, 2, 4 or 8) bytes `count` times.
public func fill(
    _ target: UnsafeMutableRawPointer, count: Int, element: UnsafeRawPointer, elementBytes: Int
) {
    switch elementBytes {
    case 1: repeatElement(target, count, element.loadUnaligned(as: UInt8.self))
    case 2: repeatElement(target, count, element.loadUnaligned(as: UInt16.self))
    case 4: repeatElement(target, count, element.loadUnaligned(as: UInt32.self))
    default: repeatElement(target, count, element.loadUnaligned(as: UInt64.self))
    }
}

@inline(__always) private func repeatElement<Element: BitwiseCopyable>(
    _ target: UnsafeMutableRawPointer, _ count: Int, _ element: Element
) {
    let target = target.assumingMemoryBound(to: Element.self)
    for i in 0..<count { target[i] = element }
}
