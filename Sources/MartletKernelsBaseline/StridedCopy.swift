/// Copies an array of any number of axes between two layouts. Source and target must not overlap.
///
/// Serves every operation that only moves elements: slices (with negative steps as negative strides), transposition,
/// expansion (with source strides of 0), concatenation and padding.
///
/// - Parameters:
///   - rank: The number of axes; 0 is one element.
///   - extents: The number of elements along each axis, outermost first.
///   - source: The element of index 0 on all axes.
///   - sourceStrides: Bytes between neighbours along each axis.
///   - target: The element of index 0 on all axes.
///   - targetStrides: Bytes between neighbours along each axis.
///   - elementBytes: 1, 2, 4 or 8.
public func copyStrided(
    rank: Int, extents: UnsafePointer<Int>, source: UnsafeRawPointer, sourceStrides: UnsafePointer<Int>,
    target: UnsafeMutableRawPointer, targetStrides: UnsafePointer<Int>, elementBytes: Int
) {
    if rank == 0 {
        target.copyMemory(from: source, byteCount: elementBytes)
        return
    }
    let count = extents[0]
    let from = sourceStrides[0]
    let to = targetStrides[0]
    if rank > 1 {
        for i in 0..<count {
            copyStrided(
                rank: rank - 1, extents: extents + 1, source: source + i * from, sourceStrides: sourceStrides + 1,
                target: target + i * to, targetStrides: targetStrides + 1, elementBytes: elementBytes)
        }
        return
    }
    if from == elementBytes && to == elementBytes {
        target.copyMemory(from: source, byteCount: count * elementBytes)
        return
    }
    switch elementBytes {
    case 1: copyRun(source, from, target, to, count, as: UInt8.self)
    case 2: copyRun(source, from, target, to, count, as: UInt16.self)
    case 4: copyRun(source, from, target, to, count, as: UInt32.self)
    default: copyRun(source, from, target, to, count, as: UInt64.self)
    }
}

@inline(__always) private func copyRun<Element: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ from: Int, _ target: UnsafeMutableRawPointer, _ to: Int, _ count: Int,
    as type: Element.Type
) {
    for i in 0..<count {
        (target + i * to).storeBytes(of: (source + i * from).loadUnaligned(as: type), as: type)
    }
}
