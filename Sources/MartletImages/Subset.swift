import MartletTensors

/// Some images of a data set, in the order they have there unless a choice says otherwise.
public struct Subset: DataSet {
    /// Which images a limit leaves.
    public enum Choice: Hashable, Sendable {
        /// The first ones.
        case first
        /// Every k-th: image `i * count / limit` for i in `0 ..< limit`. For folders sorted by class this takes all
        /// classes alike, where the first ones would be of one class.
        case spread
        /// Drawn at random without repetition; the same for the same seed.
        case random(seed: UInt64)
        /// As many of each class as there can be, those of a class drawn at random; classes that have fewer leave their
        /// places to the others. The same for the same seed.
        case byClass(seed: UInt64)
    }

    private let base: any DataSet
    /// The indices in the data set that this is a part of.
    public let indices: [Int]
    /// How they were chosen, where chance had a hand in it.
    private var manner = ""

    /// At most `limit` images of `base`.
    /// - Throws: ``DataSetError/unsupportedLimit(_:)`` below one, ``DataSetError/noLabels(path:)`` for a choice by class
    ///   without classes.
    public init(_ base: any DataSet, limit: Int, choice: Choice) throws(DataSetError) {
        guard limit > 0 else { throw .unsupportedLimit(limit) }
        self.base = base
        let limit = min(limit, base.count)
        switch choice {
        case .first: indices = Array(0..<limit)
        case .spread: indices = (0..<limit).map { $0 * base.count / limit }
        case .random(let seed):
            var generator = SplitMix64(seed: seed)
            var all = Array(0..<base.count)
            for i in 0..<limit { all.swapAt(i, Int.random(in: i..<base.count, using: &generator)) }
            indices = all[..<limit].sorted()
            manner = ", drawn at random (seed \(seed))"
        case .byClass(let seed):
            guard base.isLabelled else { throw .noLabels(path: base.path) }
            indices = Subset.byClass((0..<base.count).map { base.label(at: $0) ?? -1 }, limit: limit, seed: seed)
            manner = ", drawn by class (seed \(seed))"
        }
    }

    /// Consecutive images of `base`.
    public init(_ base: any DataSet, range: Range<Int>) {
        self.base = base
        indices = Array(range.clamped(to: 0..<base.count))
    }

    /// All images of `base` in a random order, the same for the same seed.
    public init(_ base: any DataSet, shuffledWith seed: UInt64) {
        self.base = base
        var generator = SplitMix64(seed: seed)
        indices = (0..<base.count).shuffled(using: &generator)
    }

    /// Indices drawn class by class, ascending.
    private static func byClass(_ labels: [Int], limit: Int, seed: UInt64) -> [Int] {
        var generator = SplitMix64(seed: seed)
        var classes = Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted { $0.key < $1.key }
            .map { $0.value.shuffled(using: &generator)[...] }
        // Which classes get one more, where it does not come out even, is drawn too.
        classes.shuffle(using: &generator)
        var chosen: [Int] = []
        while chosen.count < limit {
            for index in classes.indices where chosen.count < limit {
                if let next = classes[index].popFirst() { chosen.append(next) }
            }
        }
        return chosen.sorted()
    }

    public var path: String { base.path }
    public var count: Int { indices.count }
    public var labelSource: LabelSource { base.labelSource }
    public var classNames: [String]? { base.classNames }
    public var description: String { "\(count) of \(base)\(manner)" }
    public func sample(at index: Int) throws -> Sample { try base.sample(at: indices[index]) }
    public func label(at index: Int) -> Int? { base.label(at: indices[index]) }
    public func name(at index: Int) -> String { base.name(at: indices[index]) }
    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        try base.withStoredBytes(at: indices[index], body)
    }
}

extension DataSet {
    /// At most `limit` images: spread evenly over image files, whose names sort them by class more often than not
    /// (``Subset/Choice/spread``); of the records of a binary file the first ones.
    /// - Throws: ``DataSetError/unsupportedLimit(_:)`` below one.
    public func limited(to limit: Int) throws(DataSetError) -> any DataSet {
        try Subset(self, limit: limit, choice: self is ImageFiles ? .spread : .first)
    }
}
