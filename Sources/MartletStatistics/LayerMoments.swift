import MartletLinearAlgebra
import MartletTensors

/// The first and second moment of the patches one layer sees.
///
/// Patches are indexed as the kernel is: channel of the group first, then the taps, row-major. Each group of channels
/// has moments of its own.
public struct LayerMoments: Sendable {
    /// The number of groups.
    public let groups: Int
    /// `D`, the length of a patch.
    public let patchSize: Int
    /// The number of patches seen (of each group).
    public internal(set) var count: Int
    /// Per group the lower triangle of the sum of `u u^T`, row by row: `[groups, D (D + 1) / 2]`.
    var products: Tensor
    /// Per group the sum of `u`: `[groups, D]`.
    var sums: Tensor

    /// No patches yet.
    /// - Throws: `TensorError` if the moments do not fit into memory.
    init(groups: Int, patchSize: Int) throws {
        self.groups = groups
        self.patchSize = patchSize
        count = 0
        let shapes = try LayerMoments.shapes(groups: groups, patchSize: patchSize)
        products = try Tensor(zeros: shapes.products, elementType: .float64)
        sums = try Tensor(zeros: shapes.sums, elementType: .float64)
    }

    static func shapes(groups: Int, patchSize: Int) throws -> (products: Shape, sums: Shape) {
        let triangle = try CheckedArithmetic.product([patchSize, patchSize + 1]) / 2
        return (try Shape([groups, triangle]), try Shape([groups, patchSize]))
    }

    init(count: Int, products: Tensor, sums: Tensor) {
        groups = sums.shape[0]
        patchSize = sums.shape[1]
        self.count = count
        self.products = products
        self.sums = sums
    }

    /// Adds the sums of other patches of the same layer.
    /// - Throws: ``StatisticsError/cannotMerge(reason:)`` for another layer.
    mutating func add(_ other: LayerMoments) throws {
        guard groups == other.groups, patchSize == other.patchSize else {
            throw StatisticsError.cannotMerge(reason: "a layer has patches of different sizes")
        }
        try products.add(other.products)
        try sums.add(other.sums)
        let (sum, overflows) = count.addingReportingOverflow(other.count)
        if overflows { throw StatisticsError.cannotMerge(reason: "the patches are too many to count") }
        count = sum
    }

    /// The bytes that the sums take.
    var byteCount: Int { products.byteCount + sums.byteCount }

    /// `Sigma = E[u u^T]` of a group, `D x D`.
    /// - Throws: `LinearAlgebraError` for more rows than BLAS can count.
    public func secondMoment(group: Int = 0) throws -> Matrix {
        try products.withElements(of: Double.self) { products in
            let size = patchSize
            let triangle = UnsafeBufferPointer(rebasing: products[(group * size * (size + 1) / 2)...])
            let scale = 1 / Double(max(count, 1))
            let elements = [Double](unsafeUninitializedCapacity: size * size) { target, initialized in
                // In blocks, so that the mirrored half is written a cache line at a time.
                let block = 32
                for i0 in stride(from: 0, to: size, by: block) {
                    for j0 in stride(from: 0, through: i0, by: block) {
                        for i in i0..<min(i0 + block, size) {
                            let row = i * (i + 1) / 2
                            for j in j0..<min(j0 + block, i + 1) {
                                var value = triangle[row + j] * scale
                                // Of a tap that only sees zeros, differences of border sums leave a rounding error.
                                if i == j { value = max(0, value) }
                                target[i * size + j] = value
                                target[j * size + i] = value
                            }
                        }
                    }
                }
                initialized = size * size
            }
            return try Matrix(rows: size, columns: size, elements: elements)
        }
    }

    /// `mu = E[u]` of a group, `D` numbers.
    public func mean(group: Int = 0) -> [Double] {
        sums.withElements(of: Double.self) { sums in
            (0..<patchSize).map { sums[group * patchSize + $0] / Double(max(count, 1)) }
        }
    }
}

extension Tensor {
    /// Adds the elements of another tensor of doubles of the same shape.
    mutating func add(_ other: Tensor) throws {
        try other.withElements(of: Double.self) { other in
            try withMutableElements(of: Double.self) { sums in
                for index in sums.indices { sums[index] += other[index] }
            }
        }
    }
}
