import Foundation
import MartletNetworks
import MartletTensors
import Testing

/// Runs a network forward on dual numbers, by loops.
struct DualNetwork {
    struct Value {
        var extents: [Int]
        var elements: [Dual]
    }

    private let network: Network
    private let types: [String: TensorType]
    /// Whether batch normalisations go by the batch.
    var usesBatchStatistics = false

    init(_ network: Network, shapes: [String: Shape]) throws {
        let typed = try network.specialized(to: shapes)
        self.network = typed.network
        types = typed.types
    }

    /// The first output.
    /// - Parameter directions: What is added to constants, times a number that the derivative is taken by.
    func output(
        _ inputs: [String: Tensor], directions: [String: [Double]], step: Double = 0
    ) throws -> [Dual] {
        var values: [String: Value] = [:]
        for (name, tensor) in inputs { values[name] = value(tensor, nil, 0) }
        for (name, tensor) in network.constants where tensor.elementType == .float32 {
            values[name] = value(tensor, directions[name], step)
        }
        for node in network.nodes { try run(node, &values) }
        return try #require(values[network.outputs[0].name]).elements
    }

    private func value(_ tensor: Tensor, _ direction: [Double]?, _ step: Double) -> Value {
        Value(
            extents: tensor.shape.extents,
            elements: tensor.withElements(of: Float.self) { elements in
                elements.indices.map { index in
                    let along = direction?[index] ?? 0
                    return Dual(Double(elements[index]) + step * along, along)
                }
            })
    }

    private func extents(_ name: String?) throws -> [Int] { try #require(name.flatMap { types[$0]?.extents }) }

    private func integers(_ node: Node, _ index: Int) -> [Int]? {
        node.input(index).flatMap { network.constants[$0] }.map { tensor in
            tensor.withElements(of: Int64.self) { $0.map { Int($0) } }
        }
    }

    private func scalar(_ node: Node, _ index: Int) -> Double? {
        node.input(index).flatMap { network.constants[$0] }.map { tensor in
            tensor.withElements(of: Float.self) { Double($0[0]) }
        }
    }

    // MARK: Nodes

    private func run(_ node: Node, _ values: inout [String: Value]) throws {
        func input(_ index: Int) throws -> Value { try #require(node.input(index).flatMap { values[$0] }) }
        let extents = try extents(node.outputs[0])
        func mapped(_ function: (Dual) -> Dual) throws -> [Dual] { try input(0).elements.map(function) }
        let result: [Dual]
        switch node.operation {
        case .convolution(let convolution):
            var y = try self.convolution(
                convolution, input(0), input(1), bias: node.input(2) == nil ? nil : input(2), extents)
            if convolution.addsResidual {
                let residual = try input(3)
                for index in y.indices { y[index] += residual.elements[index] }
            }
            result = y.map { apply(convolution.activation, $0) }
        case .gemm(let gemm):
            var y = product(
                try input(0), try input(1), gemm.transposesA, gemm.transposesB, rows: extents[0], columns: extents[1]
            ).map { $0 * Dual(Double(gemm.alpha)) }
            if node.input(2) != nil {
                let addend = broadcast(try input(2), extents)
                for index in y.indices { y[index] += Dual(Double(gemm.beta)) * addend[index] }
            }
            result = y.map { apply(gemm.activation, $0) }
        case .matMul:
            let b = try input(1)
            result = product(
                try input(0), b, false, false, rows: extents.dropLast().reduce(1, *), columns: b.extents[1])
        case .batchNormalization(let epsilon):
            result = try normalization(Double(epsilon), (0..<5).map { try input($0) })
        case .activation(let activation): result = try mapped { apply(activation, $0) }
        case .clip:
            let (low, high) = (scalar(node, 1) ?? -.infinity, scalar(node, 2) ?? .infinity)
            result = try mapped { $0.clamped(low, high) }
        case .parametricRelu:
            let (x, slope) = (try input(0), broadcast(try input(1), extents))
            result = x.elements.indices.map { x.elements[$0].value < 0 ? x.elements[$0] * slope[$0] : x.elements[$0] }
        case .maxPool(let pooling): result = try self.pooling(pooling, input(0), extents) { seen, _ in maximum(seen) }
        case .averagePool(let pooling, let countsPadding):
            result = try self.pooling(pooling, input(0), extents) { seen, border in
                seen.reduce(Dual(0), +) / Dual(Double(max(1, seen.count + (countsPadding ? border : 0))))
            }
        case .globalAveragePool, .globalMaxPool:
            let x = try input(0)
            let pixels = x.extents.dropFirst(2).reduce(1, *)
            result = extents.isEmpty ? [] : (0..<x.extents[0] * x.extents[1]).map { plane in
                let seen = Array(x.elements[plane * pixels..<(plane + 1) * pixels])
                return node.operation == .globalMaxPool
                    ? maximum(seen) : seen.reduce(Dual(0), +) / Dual(Double(pixels))
            }
        case .reduceMean:
            let x = try input(0)
            let axes = Set((integers(node, 1) ?? Array(x.extents.indices)).map { $0 < 0 ? $0 + x.extents.count : $0 })
            var sums = [Dual](repeating: Dual(0), count: extents.reduce(1, *))
            let count = Dual(Double(axes.reduce(1) { $0 * x.extents[$1] }))
            for (index, position) in positions(x.extents).enumerated() {
                let kept = position.indices.filter { !axes.contains($0) }
                let place = kept.reduce(0) { $0 * x.extents[$1] + position[$1] }
                sums[place] += x.elements[index] / count
            }
            result = sums
        case .arithmetic(let operation):
            let (a, b) = (broadcast(try input(0), extents), broadcast(try input(1), extents))
            result = a.indices.map { index in
                switch operation {
                case .add: a[index] + b[index]
                case .subtract: a[index] - b[index]
                case .multiply: a[index] * b[index]
                case .divide: a[index] / b[index]
                }
            }
        case .sum:
            let all = try node.inputs.indices.map { broadcast(try input($0), extents) }
            result = all[0].indices.map { index in all.reduce(Dual(0)) { $0 + $1[index] } }
        case .concat(let axis):
            let axis = axis < 0 ? axis + extents.count : axis
            let parts = try node.inputs.indices.map { try input($0) }
            result = positions(extents).map { position in
                var position = position
                var part = 0
                while position[axis] >= parts[part].extents[axis] {
                    position[axis] -= parts[part].extents[axis]
                    part += 1
                }
                return parts[part].elements[offset(position, parts[part].extents)]
            }
        case .split(let axis):
            let x = try input(0)
            let axis = axis < 0 ? axis + x.extents.count : axis
            var first = 0
            for output in node.outputs {
                let part = try self.extents(output)
                values[output ?? ""] = Value(
                    extents: part,
                    elements: positions(part).map { position in
                        var position = position
                        position[axis] += first
                        return x.elements[offset(position, x.extents)]
                    })
                first += part[axis]
            }
            return
        case .slice:
            let x = try input(0)
            let starts = try #require(integers(node, 1))
            let ends = try #require(integers(node, 2))
            let axes = integers(node, 3) ?? Array(starts.indices)
            let steps = integers(node, 4) ?? starts.map { _ in 1 }
            var indices = x.extents.map { Array(0..<$0) }
            for (cut, given) in axes.enumerated() {
                let axis = given < 0 ? given + x.extents.count : given
                let extent = x.extents[axis]
                func from(_ index: Int) -> Int { index < 0 ? max(index, -extent - 1) + extent : min(index, extent) }
                indices[axis] =
                    steps[cut] > 0
                    ? Array(stride(from: max(0, from(starts[cut])), to: max(0, from(ends[cut])), by: steps[cut]))
                    : Array(stride(from: min(extent - 1, from(starts[cut])), to: from(ends[cut]), by: steps[cut]))
            }
            result = positions(extents).map { position in
                x.elements[offset(position.indices.map { indices[$0][position[$0]] }, x.extents)]
            }
        case .pad(.constant):
            let x = try input(0)
            let pads = try #require(integers(node, 1))
            let axes = integers(node, 3) ?? Array(x.extents.indices)
            var before = x.extents.map { _ in 0 }
            for (index, axis) in axes.enumerated() { before[axis < 0 ? axis + x.extents.count : axis] = pads[index] }
            result = positions(extents).map { position in
                let inside = position.indices.map { position[$0] - before[$0] }
                return inside.indices.allSatisfy { inside[$0] >= 0 && inside[$0] < x.extents[$0] }
                    ? x.elements[offset(inside, x.extents)] : Dual(scalar(node, 2) ?? 0)
            }
        case .transpose(let permutation):
            let x = try input(0)
            let order = permutation ?? Array(x.extents.indices.reversed())
            result = positions(extents).map { position in
                var source = position
                for (axis, from) in order.enumerated() { source[from] = position[axis] }
                return x.elements[offset(source, x.extents)]
            }
        case .expand: result = broadcast(try input(0), extents)
        case .softmax(let softmax):
            let axis = softmax.axis < 0 ? softmax.axis + extents.count : softmax.axis
            let end = softmax.flattensTrailingAxes ? extents.count : axis + 1
            let x = try input(0)
            var sums: [[Int]: Dual] = [:]
            func key(_ position: [Int]) -> [Int] { Array(position[..<axis] + position[end...]) }
            let all = positions(extents)
            for (index, position) in all.enumerated() {
                sums[key(position), default: Dual(0)] += x.elements[index].exponential
            }
            result = all.enumerated().map { index, position in
                let sum = sums[key(position)] ?? Dual(1)
                return softmax.isLogarithmic
                    ? x.elements[index] - sum.logarithm : x.elements[index].exponential / sum
            }
        case .localResponseNormalization(let lrn):
            let x = try input(0)
            let (channels, pixels) = (extents[1], extents.dropFirst(2).reduce(1, *))
            result = x.elements.indices.map { index in
                let channel = index / pixels % channels
                var sum = Dual(0)
                for other in max(0, channel - (lrn.size - 1) / 2)...min(channels - 1, channel + lrn.size / 2) {
                    let neighbour = x.elements[index + (other - channel) * pixels]
                    sum += neighbour * neighbour
                }
                let base = Dual(Double(lrn.bias)) + Dual(Double(lrn.alpha) / Double(lrn.size)) * sum
                return x.elements[index] * base.power(-Double(lrn.beta))
            }
        case .identity, .dropout, .flatten, .reshape, .squeeze, .unsqueeze: result = try input(0).elements
        default: throw NetworkError.unsupported(node: node.label, reason: "dual numbers")
        }
        values[node.outputs[0] ?? ""] = Value(extents: extents, elements: result)
    }

    private func apply(_ activation: Activation?, _ x: Dual) -> Dual {
        let one = Dual(1)
        switch activation {
        case nil: return x
        case .relu: return x.value < 0 ? Dual(0) : x
        case .leakyRelu(let slope): return x.value < 0 ? Dual(Double(slope)) * x : x
        case .sigmoid: return one / (one + (Dual(0) - x).exponential)
        case .hardSigmoid(let alpha, let beta): return (Dual(Double(alpha)) * x + Dual(Double(beta))).clamped(0, 1)
        case .hardSwish: return x * (x / Dual(6) + Dual(0.5)).clamped(0, 1)
        case .tanh:
            let power = (x + x).exponential
            return (power - one) / (power + one)
        case .clip(let minimum, let maximum): return x.clamped(Double(minimum), Double(maximum))
        }
    }

    private func maximum(_ values: [Dual]) -> Dual {
        values.dropFirst().reduce(values.first ?? Dual(-.infinity)) { $0 < $1 ? $1 : $0 }
    }

    private func product(
        _ a: Value, _ b: Value, _ transposesA: Bool, _ transposesB: Bool, rows: Int, columns: Int
    ) -> [Dual] {
        let terms = a.elements.count / max(1, rows)
        return (0..<rows * columns).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            var sum = Dual(0)
            for term in 0..<terms {
                let left = a.elements[transposesA ? term * rows + row : row * terms + term]
                sum += left * b.elements[transposesB ? column * terms + term : term * columns + column]
            }
            return sum
        }
    }

    private func normalization(_ epsilon: Double, _ inputs: [Value]) throws -> [Dual] {
        let x = inputs[0]
        let (channels, pixels) = (x.extents[1], x.extents.dropFirst(2).reduce(1, *))
        return (0..<channels).reduce(into: x.elements) { result, channel in
            let places = x.elements.indices.filter { $0 / pixels % channels == channel }
            var (mean, variance) = (inputs[3].elements[channel], inputs[4].elements[channel])
            if usesBatchStatistics {
                let count = Dual(Double(places.count))
                mean = places.reduce(Dual(0)) { $0 + x.elements[$1] } / count
                variance = places.reduce(Dual(0)) {
                    $0 + (x.elements[$1] - mean) * (x.elements[$1] - mean)
                } / count
            }
            let gain = inputs[1].elements[channel] * (variance + Dual(epsilon)).power(-0.5)
            for place in places { result[place] = (x.elements[place] - mean) * gain + inputs[2].elements[channel] }
        }
    }

    // MARK: Windows

    private func forEachTap(
        _ window: Window, _ taps: [[Int]], input: [Int], at output: [Int],
        _ body: (_ tap: Int, _ place: Int?, _ isBorder: Bool) -> Void
    ) {
        let borders = input.indices.map { window.border(axis: $0, extent: input[$0]) }
        for (tap, taps) in taps.enumerated() {
            let position = input.indices.map {
                output[$0] * window.strides[$0] + taps[$0] * window.dilations[$0] - borders[$0].before
            }
            let isInside = input.indices.allSatisfy { position[$0] >= 0 && position[$0] < input[$0] }
            let isBorder = input.indices.allSatisfy { position[$0] < input[$0] + borders[$0].after }
            body(tap, isInside ? offset(position, input) : nil, isBorder)
        }
    }

    private func convolution(
        _ convolution: Convolution, _ x: Value, _ weight: Value, bias: Value?, _ extents: [Int]
    ) -> [Dual] {
        let spatial = Array(x.extents.dropFirst(2))
        let pixels = spatial.reduce(1, *)
        let (channels, taps) = (weight.extents[1], convolution.window.tapCount)
        let outputs = extents[1]
        let targets = positions(Array(extents.dropFirst(2)))
        let places = positions(convolution.window.kernel)
        var result: [Dual] = []
        for image in 0..<extents[0] {
            for output in 0..<outputs {
                let group = output / (outputs / convolution.groups)
                for target in targets {
                    var sum = bias?.elements[output] ?? Dual(0)
                    forEachTap(convolution.window, places, input: spatial, at: target) { tap, place, _ in
                        guard let place else { return }
                        // By hand: these are the many.
                        var (value, slope) = (sum.value, sum.slope)
                        for channel in 0..<channels {
                            let plane = image * x.extents[1] + group * channels + channel
                            let seen = x.elements[plane * pixels + place]
                            let factor = weight.elements[(output * channels + channel) * taps + tap]
                            value += seen.value * factor.value
                            slope += seen.slope * factor.value + seen.value * factor.slope
                        }
                        sum = Dual(value, slope)
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }

    private func pooling(
        _ pooling: Pooling, _ x: Value, _ extents: [Int], _ combine: (_ seen: [Dual], _ border: Int) -> Dual
    ) -> [Dual] {
        let spatial = Array(x.extents.dropFirst(2))
        let pixels = spatial.reduce(1, *)
        let targets = positions(Array(extents.dropFirst(2)))
        let places = positions(pooling.window.kernel)
        return (0..<extents[0] * extents[1]).flatMap { plane in
            targets.map { target in
                var seen: [Dual] = []
                var border = 0
                forEachTap(pooling.window, places, input: spatial, at: target) { _, place, isBorder in
                    if let place { seen.append(x.elements[plane * pixels + place]) } else if isBorder { border += 1 }
                }
                return combine(seen, border)
            }
        }
    }

    // MARK: Places

    private func positions(_ extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { heads, extent in heads.flatMap { head in (0..<extent).map { head + [$0] } } }
    }

    private func offset(_ position: [Int], _ extents: [Int]) -> Int {
        zip(position, extents).reduce(0) { $0 * $1.1 + $1.0 }
    }

    private func broadcast(_ x: Value, _ extents: [Int]) -> [Dual] {
        if x.extents == extents { return x.elements }
        let missing = extents.count - x.extents.count
        return positions(extents).map { position in
            let own = x.extents.indices.map { x.extents[$0] == 1 ? 0 : position[$0 + missing] }
            return x.elements[offset(own, x.extents)]
        }
    }
}
