/// How a direct convolution is cut into tasks: so many that their input stays in the cache, and so few that there are some tasks
/// for each thread, as long as a task is worth handing out.
///
/// Threads that share a layer whose weights all fit beside its rows take rows, all channels of them: most of what they read is
/// what they wrote in the layer before. Otherwise a task is some rows of one pair of output vectors.
struct ConvolutionTasks {
    /// Tasks there are.
    let count: Int
    private let parts: Int
    private let rowsOfPart: Int
    private let groups: Int
    private let pairsOfGroup: Int
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
        let isByRows = workers > 1 && weightBytes <= ConvolutionTasks.fewWeightBytes
        let fitting = max(1, (isFlat ? 896 : 784) / max(1, width))
        var parts = (height + fitting - 1) / fitting
        if workers > 1 {
            let together = isByRows ? 1 : pairs
            let worth = max(1, height * width * products / ConvolutionTasks.productsOfTask / together)
            let wanted = (4 * workers + together - 1) / together
            parts = max(parts, min(wanted, worth, height))
        }
        let rows = (height + parts - 1) / parts
        // Two rows at a time where a row is short.
        rowsOfPart = !isFlat && width <= 7 ? min(height, (rows + 1) / 2 * 2) : rows
        self.parts = (height + rowsOfPart - 1) / rowsOfPart
        groups = isByRows ? 1 : pairs
        pairsOfGroup = isByRows ? pairs : 1
        self.height = height
        count = images * groups * self.parts
    }

    /// The image, the pairs of output vectors and the rows of a task.
    func place(of task: Int) -> (image: Int, pairs: Range<Int>, rows: Range<Int>) {
        let (rest, part) = task.quotientAndRemainder(dividingBy: parts)
        let (image, group) = rest.quotientAndRemainder(dividingBy: groups)
        return (
            image, group * pairsOfGroup..<(group + 1) * pairsOfGroup,
            part * rowsOfPart..<min(height, (part + 1) * rowsOfPart)
        )
    }

    /// Multiply-adds of vectors: some five microseconds.
    private static let productsOfTask = 16 * 1024
    private static let fewWeightBytes = 256 << 10
}
