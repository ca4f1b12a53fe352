import ArgumentParser
import Martlet

/// What every command takes.
struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to work on; all cores unless told.", valueName: "count"))
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads wants 1 to 1024") }
    }

    /// The threads.
    var pool: ThreadPool { threads.map { ThreadPool(threadCount: $0) } ?? ThreadPool() }
}

/// Machine-readable output.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON on standard output instead of text.")
    var json = false
}

/// Which images.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Class map: one class a line, its number, counted from 0, is the index.", valueName: "file"))
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "Use at most n images: spread evenly over folders and lists, else the first.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit wants at least 1") }
    }

    /// The data set at `path`.
    func open(_ path: String) throws -> any DataSet {
        let data = try DataSets.open(path, labels: labels)
        return try limit.map { try data.limited(to: $0) } ?? data
    }
}

/// How a network is run.
struct ExecutionOptions: ParsableArguments {
    @Flag(
        help: """
            Run each convolution by the algorithm that is fastest here: measured once, and kept beside the model in \
            MODEL.tuning.json.
            """)
    var tune = false

    @Flag(
        help: """
            Round the weights of fully connected layers to half precision: half their memory, and half their time \
            where they are read for one image.
            """)
    var halfLinear = false

    /// The options for a model; measures first where that is asked for and not done yet.
    func options(pool: ThreadPool, model: () throws -> Model) throws -> Executor.Options {
        var options = Executor.Options()
        options.halvesLinearWeights = halfLinear
        if tune {
            Interruption.watch()
            let line = ProgressLine()
            defer { line.finish() }
            options.tuning = try model().tuning(pool: pool) { state in
                line.show(state)
                try Interruption.check()
            }
        }
        return options
    }
}
