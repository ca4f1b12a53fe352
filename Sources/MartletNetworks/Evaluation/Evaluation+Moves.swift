import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    /// The elements as they are, under another shape of as many.
    func copyAll() throws {
        let (x, output) = (try input(0), try output())
        if output.elementType != x.elementType || output.shape.elementCount != x.shape.elementCount {
            throw invalid(
                "\(x.elementType) \(x.shape) does not fill \(output.elementType) \(output.shape)")
        }
        copy(x, into: output)
    }

    func identity() throws {
        let x = try input(0)
        copy(x, into: try output(x.elementType, x.shape.extents))
    }

    /// The bytes of one view into another of as many, which may be itself.
    private func copy(_ x: TensorView, into output: MutableTensorView) {
        if x.base != UnsafeRawPointer(output.base) { output.base.copyMemory(from: x.base, byteCount: x.bytes.count) }
    }

    func dropout() throws {
        let x = try input(0)
        if let training = optionalInput(2) {
            guard training.elementType == .bool, training.shape.elementCount == 1 else {
                throw invalid("the training mode is \(training.elementType) \(training.shape), not one bool")
            }
            if training.bytes[0] != 0 { throw unsupported("dropout in training mode") }
        }
        if outputs.count > 1, let mask = outputs[1] {
            try check(mask, .bool, x.shape.extents)
            for i in mask.bytes.indices { mask.bytes[i] = 1 }
        }
        copy(x, into: try output(x.elementType, x.shape.extents))
    }

    func concat(axis: Int) throws {
        let views = try inputs.indices.map { try input($0) }
        guard let first = views.first else { throw invalid("it has no input") }
        let axis = try self.axis(axis, rank: first.shape.rank)
        var extents = first.shape.extents
        for view in views.dropFirst() {
            guard view.elementType == first.elementType, view.shape.rank == first.shape.rank,
                extents.indices.allSatisfy({ $0 == axis || extents[$0] == view.shape[$0] })
            else { throw invalid("it cannot join \(first.shape) and \(view.shape)") }
            extents[axis] = try sum([extents[axis], view.shape[axis]])
        }
        let output = try output(first.elementType, extents)
        var offset = 0
        for view in views {
            let layout = StridedLayout(
                extents: view.shape.extents, sourceStrides: view.shape.strides, targetStrides: output.shape.strides)
            layout.copy(
                from: view.base, to: output.base, targetOffset: offset * output.shape.strides[axis],
                elementBytes: view.elementType.byteCount)
            offset += view.shape[axis]
        }
    }

    func split(axis: Int) throws {
        let x = try input(0)
        let axis = try self.axis(axis, rank: x.shape.rank)
        guard !outputs.isEmpty else { throw invalid("it has no output") }
        let sizes: [Int]
        if optionalInput(1) != nil {
            sizes = try integers(1)
        } else {
            let part = (x.shape[axis] + outputs.count - 1) / outputs.count
            sizes = outputs.indices.map { max(0, min(part, x.shape[axis] - $0 * part)) }
        }
        guard sizes.count == outputs.count, sizes.allSatisfy({ $0 >= 0 }),
            try sum(sizes) == x.shape[axis]
        else { throw invalid("the parts \(sizes) do not make up axis \(axis) of \(x.shape)") }
        var extents = x.shape.extents
        for (index, output) in outputs.enumerated() {
            guard let output else { continue }
            extents[axis] = sizes[index]
            try check(output, x.elementType, extents)
        }
        var offset = 0
        for (index, output) in outputs.enumerated() {
            if let output {
                let layout = StridedLayout(
                    extents: output.shape.extents, sourceStrides: x.shape.strides, targetStrides: output.shape.strides)
                layout.copy(
                    from: x.base, sourceOffset: offset * x.shape.strides[axis], to: output.base,
                    elementBytes: x.elementType.byteCount)
            }
            offset += sizes[index]
        }
    }

    func transpose(_ permutation: [Int]?) throws {
        let x = try input(0)
        let order = permutation ?? (0..<x.shape.rank).reversed()
        if order.sorted() != Array(0..<x.shape.rank) {
            throw invalid("\(order) does not permute \(x.shape.rank) axes")
        }
        let output = try output(x.elementType, order.map { x.shape[$0] })
        let layout = StridedLayout(
            extents: output.shape.extents, sourceStrides: order.map { x.shape.strides[$0] },
            targetStrides: output.shape.strides)
        layout.copy(from: x.base, to: output.base, elementBytes: x.elementType.byteCount)
    }

    func expand() throws {
        let x = try input(0)
        let shape: Shape
        do {
            shape = try Shape(try integers(1))
        } catch let error as TensorError {
            throw invalid("its shape: \(error)")
        }
        guard let broadcast = Broadcast([x.shape, shape]) else {
            throw invalid("\(x.shape) and \(shape) do not broadcast")
        }
        try copyBroadcast(x, into: try output(x.elementType, broadcast.shape))
    }

    /// Spreads a view over an output of a shape it broadcasts to.
    func copyBroadcast(_ x: TensorView, into output: MutableTensorView) throws {
        let missing = output.shape.rank - x.shape.rank
        guard output.elementType == x.elementType, missing >= 0,
            Broadcast([x.shape, output.shape])?.shape == output.shape.extents
        else {
            throw invalid("\(x.elementType) \(x.shape) does not spread to \(output.elementType) \(output.shape)")
        }
        let strides =
            [Int](repeating: 0, count: missing) + zip(x.shape.extents, x.shape.strides).map { $0 == 1 ? 0 : $1 }
        let layout = StridedLayout(
            extents: output.shape.extents, sourceStrides: strides, targetStrides: output.shape.strides)
        layout.copy(from: x.base, to: output.base, elementBytes: x.elementType.byteCount)
    }

    func slice() throws {
        let x = try input(0)
        let (starts, ends) = (try integers(1), try integers(2))
        let axes = try optionalInput(3) == nil ? Array(starts.indices) : integers(3)
        let steps = try optionalInput(4) == nil ? [Int](repeating: 1, count: starts.count) : integers(4)
        if ends.count != starts.count || axes.count != starts.count || steps.count != starts.count {
            throw invalid("starts, ends, axes and steps differ in number")
        }
        if steps.contains(0) { throw invalid("a step of 0") }
        var extents = x.shape.extents
        var strides = x.shape.strides
        var offset = 0
        for (index, axis) in try self.axes(axes, rank: x.shape.rank).enumerated() {
            let cut = SliceCut(axis: axis, start: starts[index], end: ends[index], step: steps[index])
            let (first, count) = cut.resolved(extent: extents[axis])
            offset += first * strides[axis]
            extents[axis] = count
            // A single element is not stepped from, whatever the step.
            strides[axis] = count > 1 ? strides[axis] * steps[index] : 0
        }
        let output = try output(x.elementType, extents)
        let layout = StridedLayout(extents: extents, sourceStrides: strides, targetStrides: output.shape.strides)
        layout.copy(from: x.base, sourceOffset: offset, to: output.base, elementBytes: x.elementType.byteCount)
    }

    func gather(axis: Int) throws {
        let x = try input(0)
        let axis = try self.axis(axis, rank: x.shape.rank)
        let extents = x.shape.extents
        let count = extents[axis]
        let indices = try integers(1).map { index in
            guard index >= -count, index < count else {
                throw invalid("the index \(index) is outside an axis of \(count)")
            }
            return index < 0 ? index + count : index
        }
        let output = try output(
            x.elementType, extents[..<axis] + (try input(1)).shape.extents + extents[(axis + 1)...])
        if output.shape.elementCount == 0 { return }
        let run = extents[(axis + 1)...].reduce(1, *) * x.elementType.byteCount
        var target = output.base
        for outer in 0..<extents[..<axis].reduce(1, *) {
            for index in indices {
                target.copyMemory(from: x.base + (outer * count + index) * run, byteCount: run)
                target += run
            }
        }
    }
}
