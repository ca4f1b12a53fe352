import MartletTensors

/// The types of one node's outputs from what is known of its inputs.
///
/// The rules of each family of operators stand in an extension of their own.
struct TypeInference {
    let node: Node
    let inputs: [ValueKnowledge?]

    /// The types of the outputs, in order; one for each output the operation can have.
    func outputTypes() throws -> [TensorType] {
        switch node.operation {
        case .convolution(let convolution):
            return [try self.convolution(convolution, weight: 1, bias: 2)]
        case .maxPool(let pooling), .averagePool(let pooling, _):
            let pooled = try self.pooling(pooling)
            // The optional second output of a maximum pooling is refused when the file is read.
            return [pooled]
        case .globalAveragePool, .globalMaxPool:
            return [try globalPooling()]
        case .batchNormalization:
            return [try perChannel()]
        case .localResponseNormalization:
            return [try type(0, rank: 3...)]
        case .activation, .identity:
            return [try type(0)]
        case .clip:
            return [try type(0)]
        case .parametricRelu:
            let type = try type(0)
            return [TensorType(type.elementType, try broadcast([type.dimensions, try self.type(1).dimensions]))]
        case .softmax(let softmax):
            let type = try type(0)
            _ = try axis(softmax.axis, rank: type.rank, inclusive: softmax.flattensTrailingAxes)
            return [type]
        case .arithmetic:
            return [try elementwise(0..<2)]
        case .sum:
            return [try elementwise(0..<node.inputs.count)]
        case .equal:
            return [TensorType(.bool, try elementwise(0..<2).dimensions)]
        case .select:
            return [try select()]
        case .expand:
            return [try expand()]
        case .gemm(let gemm):
            return [try self.gemm(gemm)]
        case .matMul:
            return [try matMul(0, 1)]
        case .reduceMean(let keepsAxes, let keepsInput):
            return [try reduceMean(keepsAxes: keepsAxes, keepsInputIfNoAxes: keepsInput)]
        case .concat(let axis):
            return [try concat(axis: axis)]
        case .split(let axis):
            return try split(axis: axis)
        case .flatten(let axis):
            return [try flatten(axis: axis)]
        case .reshape(let allowsZero):
            return [try reshape(allowsZero: allowsZero)]
        case .squeeze:
            return [try squeeze()]
        case .unsqueeze:
            return [try unsqueeze()]
        case .transpose(let permutation):
            return [try transpose(permutation)]
        case .slice:
            return [try slice()]
        case .pad:
            return [try pad()]
        case .gather(let axis):
            return [try gather(axis: axis)]
        case .shape(let start, let end):
            let rank = try type(0).rank
            return [TensorType(.int64, [.fixed(TypeInference.shapeRange(start, end, rank: rank).count)])]
        case .constantOfShape(let value):
            return [try constantOfShape(value)]
        case .cast(let elementType):
            return [TensorType(elementType, try type(0).dimensions)]
        case .dropout:
            let type = try type(0)
            return [type, TensorType(.bool, type.dimensions)]
        case .quantizeLinear(let axis, let type):
            return [try quantizeLinear(axis: axis, type: type)]
        case .dequantizeLinear(let axis):
            return [try dequantizeLinear(axis: axis)]
        case .dynamicQuantizeLinear:
            let type = try type(0)
            return [TensorType(.uint8, type.dimensions), TensorType(.float32, []), TensorType(.uint8, [])]
        case .quantizedConvolution(let convolution):
            return [try quantizedConvolution(convolution)]
        case .quantizedMatMul:
            return [try quantizedMatMul()]
        case .integerConvolution(let convolution):
            return [try integerConvolution(convolution)]
        case .integerMatMul:
            return [try integerMatMul()]
        }
    }

    // MARK: What the rules are written with

    /// The type of an input that must be there, with a rank in `ranks`.
    func type(_ index: Int, rank ranks: some RangeExpression<Int> = 0...) throws -> TensorType {
        guard index < inputs.count, let type = inputs[index]?.type else { throw invalid("input \(index) is missing") }
        if !ranks.contains(type.rank) { throw invalid("input \(index) is \(type): it has the wrong number of axes") }
        return type
    }

    /// Whether an optional input is there.
    func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    /// The integers an input holds, `nil` if they are not known yet.
    func integers(_ index: Int) throws -> [Int]? {
        guard let tensor = inputs[index]?.tensor else { return nil }
        guard let values = tensor.integers else {
            throw invalid("input \(index) holds \(tensor.elementType), not integers")
        }
        return values
    }

    /// The axis meant by a possibly negative number; `inclusive` allows one past the last.
    func axis(_ axis: Int, rank: Int, inclusive: Bool = false) throws -> Int {
        let end = inclusive ? rank + 1 : rank
        guard axis >= -rank, axis < end else { throw invalid("axis \(axis) does not exist in \(rank) axes") }
        return axis < 0 ? axis + rank : axis
    }

    /// Distinct axes meant by possibly negative numbers.
    func axes(_ axes: [Int], rank: Int) throws -> [Int] {
        let result = try axes.map { try axis($0, rank: rank) }
        if Set(result).count != result.count { throw invalid("the axes \(axes) repeat one") }
        return result
    }

    func invalid(_ reason: String) -> NetworkError { .invalidNode(node: node.label, reason: reason) }

    /// The axes that `shape` with a start and an end reports.
    static func shapeRange(_ start: Int, _ end: Int?, rank: Int) -> Range<Int> {
        func clamped(_ index: Int) -> Int {
            // Compared before adding: the attribute may be any 64-bit integer.
            index < -rank ? 0 : index < 0 ? index + rank : min(index, rank)
        }
        let (lower, upper) = (clamped(start), clamped(end ?? rank))
        return lower..<max(lower, upper)
    }
}
