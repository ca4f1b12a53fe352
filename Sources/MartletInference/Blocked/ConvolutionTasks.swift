/// How a direct convolution is cut into tasks: so many that their input stays in the cache, and so few that there are some tasks
/// for each thread, as long as a task is worth handing out.
///
/// A task is some rows of a pair of output vectors, or of several. Threads that share a layer whose weights all fit beside its
/// rows have rows of their own, as long as they are equally fast: most of what one reads is what it wrote in the layer before.
/// Elsewhere they have outputs of their own, and each reads a part of the weights.
struct ConvolutionTasks {
    /// Tasks there are.
    let count: Int
    /// Tasks that the calling thread does, if all are equally fast.
    private let ofCaller: Int
    private let isByRows: Bool
    private let parts: Int
    private let rowsOfPart: Int
    private let groups: Int
    private let pairsOfGroup: Int
    private let pairs: Int
    private let height: Int

    /// - Parameters:
    ///   - images: Images of the batch.
    ///   - height: Rows of the result.
    ///   - width: Pixels of a row.
    ///   - isFlat: Whether the rows follow each other without a border.
    ///   - products: Multiply-adds of vectors for a pixel.
    ///   - pairs: Pairs of output vectors.
    ///   - weightBytes: Bytes of all weights.
    ///   - workers: Threads there will be.
    init(
        images: Int, height: Int, width: Int, isFlat: Bool, products: Int, pairs: Int, weightBytes: Int, workers: Int
    ) {
        isByRows = workers > 1 && weightBytes <= ConvolutionTasks.fewWeightBytes
        let fitting = max(1, (isFlat ? 896 : 784) / max(1, width))
        var parts = (height + fitting - 1) / fitting
        if isByRows {
            parts = min(height, (parts + workers - 1) / workers * workers)
        } else if workers > 1 {
            let worth = max(1, height * width * products / ConvolutionTasks.productsOfTask / pairs)
            let wanted = (4 * workers + pairs - 1) / pairs
            parts = max(parts, min(wanted, worth, height))
        }
        let rows = (height + parts - 1) / parts
        // Two rows at a time where a row is short.
        rowsOfPart = !isFlat && width <= 7 ? min(height, (rows + 1) / 2 * 2) : rows
        self.parts = (height + rowsOfPart - 1) / rowsOfPart
        let productsOfPair = max(1, rowsOfPart * width * products / pairs)
        let few = (ConvolutionTasks.productsOfTask + productsOfPair - 1) / productsOfPair
        pairsOfGroup = isByRows ? min(pairs, few) : 1
        groups = (pairs + pairsOfGroup - 1) / pairsOfGroup
        self.pairs = pairs
        self.height = height
        count = images * groups * self.parts
        ofCaller = workers == 1 ? count : count / workers
    }

    /// The image, the pairs of output vectors and the rows of a task.
    func place(of task: Int) -> (image: Int, pairs: Range<Int>, rows: Range<Int>) {
        // Helpers begin at the last task: their order is turned round, so that what they ask the cache for ahead, the weights of the
        // next outputs, is what they need next.
        let task = task < ofCaller ? task : ofCaller + count - 1 - task
        let (image, rest) = task.quotientAndRemainder(dividingBy: groups * parts)
        let (part, group) = isByRows ? (rest / groups, rest % groups) : (rest % parts, rest / parts)
        return (
            image, group * pairsOfGroup..<min(pairs, (group + 1) * pairsOfGroup),
            part * rowsOfPart..<min(height, (part + 1) * rowsOfPart)
        )
    }

    /// Multiply-adds of vectors: some five microseconds.
    private static let productsOfTask = 16 * 1024
    /// Weights up to here are read by every thread.
    private static let fewWeightBytes = 256 << 10
}
