import MartletNetworks
import MartletTensors

extension NetworkMaker {
    /// Every activation.
    public static let activations: [Activation] = [
        .relu, .leakyRelu(slope: 0.1), .sigmoid, .hardSigmoid(alpha: 0.3, beta: 0.4), .hardSwish, .tanh,
        .clip(minimum: -0.2, maximum: 0.5), .clip(minimum: -.infinity, maximum: 0.25),
    ]

    /// The number of different blocks.
    public static let blockCount = 34

    /// Appends the block of a number in `0 ..< blockCount`; together they use every operation.
    public mutating func block(_ number: Int) throws {
        let activation = NetworkMaker.activations.randomElement(using: &generator) ?? .relu
        switch number {
        case 0: try convolution()
        case 1: try convolution(activation: activation)
        case 2: try fusedResidual(activation: nil)
        case 3: try fusedResidual(activation: activation)
        case 4: try residual(projects: false)
        case 5: try residual(projects: true)
        case 6: current = try normalized(current)
        case 7: current = try normalized(try sameConvolution(current, bias: false))
        case 8: current = add(.activation(activation), [current])
        case 9:
            current = add(.clip, [current, try scalar(-0.5), Bool.random(using: &generator) ? try scalar(0.5) : nil])
        case 10: current = add(.clip, [current, nil, try scalar(0.3)])
        case 11: current = add(.parametricRelu, [current, try floats([channels, 1, 1])])
        case 12: pooling({ .maxPool($0) }, ceilMode: Bool.random(using: &generator), pads: true)
        case 13: pooling({ .maxPool($0) }, ceilMode: false, pads: false)
        case 14: pooling({ .averagePool($0, countsPadding: true) }, ceilMode: false, pads: true)
        case 15: pooling({ .averagePool($0, countsPadding: false) }, ceilMode: false, pads: true)
        case 16:
            let lrn = LocalResponseNormalization(
                alpha: 0.3, beta: 0.6, bias: 1.5, size: 2 * generator.integer(0...2) + 1)
            current = add(.localResponseNormalization(lrn), [current])
        case 17:
            let arithmetic = Arithmetic.allCases.randomElement(using: &generator) ?? .add
            current = add(.arithmetic(arithmetic), [current, try floats([channels, 1, 1], 0.5...2)])
        case 18: current = add(.sum, [current, try floats([channels, 1, width]), current])
        case 19:
            current = add(.concat(axis: 1), [current, add(.activation(.tanh), [current])])
            channels *= 2
            try convolution()
        case 20: try split()
        case 21: try pad()
        case 22: try slice()
        case 23:
            let swapped = add(.transpose(permutation: [0, 2, 3, 1]), [current])
            let product = add(.matMul, [swapped, try floats([channels, 3])])
            current = add(.transpose(permutation: [0, 3, 1, 2]), [product])
            channels = 3
        case 24:
            let softmax = Softmax(
                axis: [1, 2, 3, -1].randomElement(using: &generator) ?? 1, isLogarithmic: Bool.random(using: &generator)
            )
            current = add(.softmax(softmax), [current])
        case 25:
            let softmax = Softmax(
                axis: [1, 2, -2].randomElement(using: &generator) ?? 1, isLogarithmic: Bool.random(using: &generator),
                flattensTrailingAxes: true)
            current = add(.softmax(softmax), [current])
        case 26: try means()
        case 27:
            let pooled = add(Bool.random(using: &generator) ? .globalAveragePool : .globalMaxPool, [current])
            current = add(.arithmetic(.multiply), [current, add(.activation(.sigmoid), [pooled])])
        case 28:
            current = add(.dropout, [add(.identity, [current])], outputs: 1)
            current = add(.identity, [current])
        case 29:
            let whole = add(.cast(to: .int32), [add(.arithmetic(.multiply), [current, try scalar(10)])])
            current = add(.cast(to: .float32), [whole])
        case 30: try shapeGlue()
        case 31: try selection()
        case 32:
            let raised = add(.unsqueeze, [current, try integers([2])])
            current = add(.squeeze, [raised, try integers([2])])
        default: try reshaped()
        }
    }

    private mutating func split() throws {
        let (a, b): (String, String)
        if Bool.random(using: &generator) {
            let first = generator.integer(1...(height - 1))
            a = add(.split(axis: 2), [current, try integers([first, height - first])], outputs: 2)
            b = String(a.dropLast(2)) + ".1"
        } else {
            a = add(.split(axis: 2), [current], outputs: 2)
            b = String(a.dropLast(2)) + ".1"
        }
        current = add(.concat(axis: -2), [b, a])
    }

    private mutating func pad() throws {
        switch generator.integer(0...3) {
        case 0:
            current = add(.pad(.constant), [current, try integers([0, 0, 1, 0, 0, 0, 0, 2]), try scalar(0.5)])
            (height, width) = (height + 1, width + 2)
        case 1:
            current = add(.pad(.reflect), [current, try integers([0, 0, 1, 2, 0, 0, 0, 1])])
            (height, width) = (height + 1, width + 3)
        case 2:
            current = add(.pad(.edge), [current, try integers([0, 0, 0, 2, 0, 0, 1, 0])])
            (height, width) = (height + 1, width + 2)
        default:
            current = add(.pad(.constant), [current, try integers([1, 2, 0, -1]), nil, try integers([-1, 1])])
            (channels, width) = (channels + 1, width + 1)
        }
    }

    private mutating func slice() throws {
        current = add(
            .slice,
            [
                current, try integers([-1, 1]), try integers([-1_000_000, 1 << 40]), try integers([3, 2]),
                try integers([-1, 2]),
            ]
        )
        height /= 2
        // One axis is reversed, its last element first.
    }

    private mutating func means() throws {
        let means = add(.reduceMean(keepsAxes: true, keepsInputIfNoAxes: false), [current, try integers([1])])
        let all = add(.reduceMean(keepsAxes: false, keepsInputIfNoAxes: false), [current, try integers([-1, 1, 2])])
        let column = add(.reshape(allowsZero: false), [all, try integers([-1, 1, 1, 1])])
        current = add(.arithmetic(.subtract), [current, add(.arithmetic(.add), [means, column])])
    }

    /// `ones(shape of x) * x`, and a reshape to `(N, -1)` and back, as exporters write it.
    private mutating func shapeGlue() throws {
        let shape = add(.shape(start: 0, end: nil), [current])
        let ones = add(.constantOfShape(value: try Tensor([2 as Float], shape: [1])), [shape])
        let doubled = add(.arithmetic(.multiply), [current, ones])
        let zero = constant(try Tensor([0 as Int64], shape: []))
        let batch = add(.gather(axis: 0), [shape, zero])
        let wanted = add(.concat(axis: 0), [add(.unsqueeze, [batch, try integers([0])]), try integers([-1])])
        let flat = add(.reshape(allowsZero: false), [doubled, wanted])
        current = add(.reshape(allowsZero: false), [flat, shape])
    }

    private mutating func selection() throws {
        let whole = add(.cast(to: .int64), [add(.arithmetic(.multiply), [current, try scalar(3)])])
        let condition = add(.equal, [whole, constant(try Tensor([0 as Int64], shape: [1]))])
        let spread = add(.expand, [try floats([channels, 1, 1]), add(.shape(start: 0, end: nil), [current])])
        current = add(.select, [condition, spread, current])
    }

    private mutating func reshaped() throws {
        current = add(.reshape(allowsZero: false), [current, try integers([0, channels, -1, 1])])
        (height, width) = (height * width, 1)
        current = add(.transpose(permutation: [0, 1, 3, 2]), [current])
        (height, width) = (1, height)
    }

    /// A network of random blocks, the `first` among them given.
    public static func network(seed: UInt64, first: Int, blocks: Int = 4) throws -> (
        maker: NetworkMaker, network: Network
    ) {
        var maker = NetworkMaker(seed: seed)
        try maker.block(first)
        for _ in 1..<max(1, blocks) {
            // Blocks shrink and stretch what they get; some need room.
            if maker.height < 4 || maker.width < 4 { break }
            try maker.block(maker.generator.integer(0...(blockCount - 1)))
        }
        let activation = Bool.random(using: &maker.generator) ? activations.randomElement(using: &maker.generator) : nil
        let network = try maker.finished(activation: activation)
        return (maker, network)
    }
}
