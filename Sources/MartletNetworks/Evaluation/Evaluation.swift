import MartletTensors

/// One call of an operation: its operands, and the checks every family of operations shares.
struct Evaluation {
    let node: String
    let inputs: [TensorView?]
    let outputs: [MutableTensorView?]

    /// An input that must be there.
    func input(_ index: Int) throws -> TensorView {
        guard let input = optionalInput(index) else { throw invalid("input \(index) is missing") }
        return input
    }

    /// An input that may be left out.
    func optionalInput(_ index: Int) -> TensorView? { index < inputs.count ? inputs[index] : nil }

    /// The first output. Every operation has one.
    func output() throws -> MutableTensorView {
        guard let output = outputs.first, let output else { throw invalid("output 0 is missing") }
        return output
    }

    /// The first output, checked to be of this type and shape.
    func output(_ type: ElementType, _ extents: [Int]) throws -> MutableTensorView {
        let output = try output()
        try check(output, type, extents)
        return output
    }

    func check(_ output: MutableTensorView, _ type: ElementType, _ extents: [Int]) throws {
        if output.elementType != type || output.shape.extents != extents {
            throw invalid(
                "the result is \(type) \(extents), where \(output.elementType) \(output.shape) was expected")
        }
    }

    /// The numbers in an int64 or int32 input.
    func integers(_ index: Int) throws -> [Int] {
        let view = try input(index)
        switch view.elementType {
        case .int64: return view.elements(of: Int64.self).map { Int($0) }
        case .int32: return view.elements(of: Int32.self).map { Int($0) }
        default: throw invalid("input \(index) holds \(view.elementType), not int64 or int32")
        }
    }

    /// The axis meant by a number that may count from the end.
    func axis(_ axis: Int, rank: Int) throws -> Int {
        guard axis >= -rank, axis < rank else { throw invalid("axis \(axis) does not exist in \(rank) axes") }
        return axis < 0 ? axis + rank : axis
    }

    /// Distinct axes meant by numbers that may count from the end.
    func axes(_ axes: [Int], rank: Int) throws -> [Int] {
        let result = try axes.map { try axis($0, rank: rank) }
        if Set(result).count != result.count { throw invalid("the axes \(axes) repeat one") }
        return result
    }

    /// A sum of numbers that may come from a file.
    func sum(_ terms: [Int]) throws -> Int {
        do {
            return try CheckedArithmetic.sum(terms)
        } catch {
            throw invalid("\(error)")
        }
    }

    func invalid(_ reason: String) -> NetworkError { .invalidNode(node: node, reason: reason) }

    func unsupported(_ reason: String) -> NetworkError { .unsupported(node: node, reason: reason) }
}
