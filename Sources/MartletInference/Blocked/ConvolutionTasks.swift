/// How the rows of a direct convolution are cut into tasks: so many that their input stays in the cache, and so few that there
/// are some tasks for each thread, as long as a task is worth handing out.
struct ConvolutionTasks {
    /// Rows that one task computes.
    let rows: Int

    /// - Parameters:
    ///   - isFlat: Whether the rows follow each other without a border.
    ///   - products: Multiply-adds of vectors for a pixel.
    ///   - pairs: Pairs of output vectors.
    ///   - workers: Threads there will be.
    init(height: Int, width: Int, isFlat: Bool, products: Int, pairs: Int, workers: Int) {
        let fitting = max(1, (isFlat ? 896 : 784) / max(1, width))
        var parts = (height + fitting - 1) / fitting
        if workers > 1 {
            let worth = max(1, height * width * products / ConvolutionTasks.productsOfTask / pairs)
            let wanted = (4 * workers + pairs - 1) / pairs
            parts = max(parts, min(wanted, worth, height))
        }
        let rows = (height + parts - 1) / parts
        // Two rows at a time where a row is short.
        self.rows = !isFlat && width <= 7 ? min(height, (rows + 1) / 2 * 2) : rows
    }

    /// Multiply-adds of vectors: some five microseconds.
    private static let productsOfTask = 16 * 1024
}
