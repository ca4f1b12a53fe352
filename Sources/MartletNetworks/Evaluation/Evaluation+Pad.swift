import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    func pad(_ mode: PadMode) throws {
        let x = try input(0)
        let rank = x.shape.rank
        let axes = try optionalInput(3) == nil ? Array(0..<rank) : self.axes(try integers(3), rank: rank)
        let pads = try integers(1)
        if pads.count != 2 * axes.count { throw invalid("\(pads.count) pads for \(axes.count) axes") }
        var borders = [Border](repeating: Border(before: 0, after: 0), count: rank)
        for (index, axis) in axes.enumerated() {
            borders[axis] = Border(before: pads[index], after: pads[index + axes.count])
        }
        var extents: [Int] = []
        for (axis, border) in borders.enumerated() {
            let extent = try sum([x.shape[axis], border.before, border.after])
            // What is cut away on either side must be there.
            guard extent >= 0, border.kept(of: x.shape[axis]) != nil else {
                throw invalid("the pads \(pads) take more than \(x.shape) has")
            }
            extents.append(extent)
        }
        let output = try output(x.elementType, extents)
        if mode == .constant {
            try padConstant(x, borders, into: output)
        } else {
            try padMirrored(mode, x, borders, into: output)
        }
    }

    private func padConstant(_ x: TensorView, _ borders: [Border], into output: MutableTensorView) throws {
        let bytes = x.elementType.byteCount
        if let value = optionalInput(2) {
            guard value.elementType == x.elementType, value.shape.elementCount == 1 else {
                throw invalid("the value is \(value.elementType) \(value.shape), not one \(x.elementType)")
            }
            fill(output.base, count: output.shape.elementCount, element: value.base, elementBytes: bytes)
        } else {
            var zero: UInt64 = 0
            fill(output.base, count: output.shape.elementCount, element: &zero, elementBytes: bytes)
        }
        var kept: [Int] = []
        var (from, to) = (0, 0)
        for (axis, border) in borders.enumerated() {
            let range = border.kept(of: x.shape[axis]) ?? 0..<0
            kept.append(range.count)
            from += range.lowerBound * x.shape.strides[axis]
            to += max(0, border.before) * output.shape.strides[axis]
        }
        let layout = StridedLayout(
            extents: kept, sourceStrides: x.shape.strides, targetStrides: output.shape.strides)
        layout.copy(from: x.base, sourceOffset: from, to: output.base, targetOffset: to, elementBytes: bytes)
    }

    /// The modes whose border repeats the interior: each axis has a map from output to input.
    private func padMirrored(
        _ mode: PadMode, _ x: TensorView, _ borders: [Border], into output: MutableTensorView
    ) throws {
        if output.shape.elementCount == 0 { return }
        var maps: [[Int]] = []
        for (axis, border) in borders.enumerated() {
            let range = border.kept(of: x.shape[axis]) ?? 0..<0
            guard !range.isEmpty else { throw invalid("axis \(axis) of \(x.shape) has nothing to repeat") }
            let stride = x.shape.strides[axis]
            maps.append(
                (0..<output.shape[axis]).map {
                    (range.lowerBound + mode.index($0 - max(0, border.before), extent: range.count)) * stride
                })
        }
        let bytes = x.elementType.byteCount
        func copy(_ axis: Int, _ source: Int, _ target: inout UnsafeMutableRawPointer) {
            if axis == maps.count {
                target.copyMemory(from: x.base + source * bytes, byteCount: bytes)
                target += bytes
                return
            }
            for offset in maps[axis] { copy(axis + 1, source + offset, &target) }
        }
        var target = output.base
        copy(0, 0, &target)
    }
}

/// What is added on either side of an axis; below zero is cut away.
private struct Border {
    var before: Int
    var after: Int

    /// The part of the input that stays; `nil` if more is cut away than there is. The sum of extent and pads fits.
    func kept(of extent: Int) -> Range<Int>? {
        if before < -extent || after < -extent { return nil }
        let (first, end) = (max(0, -before), min(extent, extent + min(0, after)))
        return first <= end ? first..<end : nil
    }
}

extension PadMode {
    /// The index in `0 ..< extent` that index `i`, anywhere, repeats.
    fileprivate func index(_ i: Int, extent: Int) -> Int {
        func remainder(_ i: Int, _ period: Int) -> Int {
            let remainder = i % period
            return remainder < 0 ? remainder + period : remainder
        }
        switch self {
        case .constant, .edge: return max(0, min(i, extent - 1))
        case .wrap: return remainder(i, extent)
        case .reflect:
            if extent == 1 { return 0 }
            let folded = remainder(i, 2 * (extent - 1))
            return folded < extent ? folded : 2 * (extent - 1) - folded
        }
    }
}
