import MartletKernelsBaseline
import MartletTensors

extension Evaluation {
    func equal() throws {
        let (a, b) = (try input(0), try input(1))
        if a.elementType != b.elementType { throw invalid("it cannot compare \(a.elementType) and \(b.elementType)") }
        let broadcast = try broadcast([a, b])
        let output = try output(.bool, broadcast.shape)
        func compare<Element: TensorElement>(_: Element.Type) {
            elementwise(Element.self, a, b, into: output, broadcast) { $0 == $1 }
        }
        switch a.elementType {
        // Floating-point numbers compare by value: -0 equals 0, and NaN nothing.
        case .float32: compare(Float.self)
        case .float64: compare(Double.self)
        case .float16: compare(Float16.self)
        case .int8: compare(Int8.self)
        case .int16: compare(Int16.self)
        case .int32: compare(Int32.self)
        case .int64: compare(Int64.self)
        case .uint8: compare(UInt8.self)
        case .uint16: compare(UInt16.self)
        case .uint32: compare(UInt32.self)
        case .uint64: compare(UInt64.self)
        case .bool: elementwiseBool(a, b, into: output, broadcast) { $0 == $1 }
        }
    }

    private func elementwiseBool(
        _ a: TensorView, _ b: TensorView, into output: MutableTensorView, _ broadcast: Broadcast,
        _ function: (Bool, Bool) -> Bool
    ) {
        // A byte from a file need not be 0 or 1, and Swift's Bool must be.
        let bytes = { (view: TensorView) in
            TensorView(elementType: .uint8, shape: view.shape, base: view.base)
        }
        elementwise(UInt8.self, bytes(a), bytes(b), into: output, broadcast) { function($0 != 0, $1 != 0) }
    }

    func select() throws {
        let (condition, a, b) = (try input(0), try input(1), try input(2))
        if condition.elementType != .bool { throw invalid("the condition is \(condition.elementType), not bool") }
        if a.elementType != b.elementType { throw invalid("it cannot mix \(a.elementType) and \(b.elementType)") }
        let broadcast = try broadcast([condition, a, b])
        let output = try output(a.elementType, broadcast.shape)
        let choices = condition.base.assumingMemoryBound(to: UInt8.self)
        let (steps, count) = (broadcast.steps, broadcast.runLength)
        func choose<Bits: BitwiseCopyable>(_: Bits.Type) {
            let (x, y) = (a.base.assumingMemoryBound(to: Bits.self), b.base.assumingMemoryBound(to: Bits.self))
            let result = output.base.assumingMemoryBound(to: Bits.self)
            broadcast.forEachRun { to, from in
                for i in 0..<count {
                    let takesFirst = choices[from[0] + i * steps[0]] != 0
                    result[to + i] = takesFirst ? x[from[1] + i * steps[1]] : y[from[2] + i * steps[2]]
                }
            }
        }
        switch a.elementType.byteCount {
        case 1: choose(UInt8.self)
        case 2: choose(UInt16.self)
        case 4: choose(UInt32.self)
        default: choose(UInt64.self)
        }
    }

    func clip() throws {
        let x = try input(0)
        let output = try output(x.elementType, x.shape.extents)
        for index in 1...2 {
            guard let bound = optionalInput(index) else { continue }
            if bound.elementType != x.elementType || bound.shape.elementCount != 1 {
                throw invalid("bound \(index) is \(bound.elementType) \(bound.shape), not one \(x.elementType)")
            }
        }
        func clip<Element: TensorElement & Comparable>(_: Element.Type) {
            let minimum = optionalInput(1)?.elements(of: Element.self)[0]
            let maximum = optionalInput(2)?.elements(of: Element.self)[0]
            let (source, target) = (x.elements(of: Element.self), output.elements(of: Element.self))
            for i in source.indices {
                var value = source[i]
                if let minimum, value < minimum { value = minimum }
                if let maximum, value > maximum { value = maximum }
                target[i] = value
            }
        }
        switch x.elementType {
        case .float32:
            let bounds = [1, 2].map { optionalInput($0)?.elements(of: Float.self)[0] }
            MartletKernelsBaseline.clip(
                x.base.assumingMemoryBound(to: Float.self), into: output.base.assumingMemoryBound(to: Float.self),
                count: x.shape.elementCount, minimum: bounds[0] ?? -.infinity, maximum: bounds[1] ?? .infinity)
        case .float64: clip(Double.self)
        case .float16: clip(Float16.self)
        case .int8: clip(Int8.self)
        case .int16: clip(Int16.self)
        case .int32: clip(Int32.self)
        case .int64: clip(Int64.self)
        case .uint8: clip(UInt8.self)
        case .uint16: clip(UInt16.self)
        case .uint32: clip(UInt32.self)
        case .uint64: clip(UInt64.self)
        case .bool: throw invalid("it has no meaning for booleans")
        }
    }
}
