/// How a step that treats each channel for itself is shared out: by rows, all channels of them, as ``ConvolutionTasks`` does, so
/// that most of what a thread reads is what it wrote in the layer before.
struct RowTasks {
    /// Tasks there are.
    let count: Int
    private let parts: Int
    private let rowsOfPart: Int
    private let height: Int

    /// - Parameters:
    ///   - images: Images of the batch.
    ///   - height: Rows of the result.
    ///   - workers: Threads there will be.
    init(images: Int, height: Int, workers: Int) {
        let wanted = workers == 1 ? 1 : min(height, max(1, (2 * workers + images - 1) / max(1, images)))
        rowsOfPart = max(1, (height + wanted - 1) / max(1, wanted))
        parts = (height + rowsOfPart - 1) / rowsOfPart
        self.height = height
        count = images * parts
    }

    /// The image and the rows of a task.
    func place(of task: Int) -> (image: Int, rows: Range<Int>) {
        let (image, part) = task.quotientAndRemainder(dividingBy: parts)
        return (image, part * rowsOfPart..<min(height, (part + 1) * rowsOfPart))
    }
}
