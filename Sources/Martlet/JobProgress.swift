/// How far a long job is.
public struct JobProgress: Sendable {
    /// What is being done, in a word or two.
    public var task: String
    /// How much is done.
    public var done: Int
    /// How much there is.
    public var total: Int
    /// What is counted.
    public var unit: String

    /// A state of a job.
    public init(task: String, done: Int, total: Int, unit: String) {
        self.task = task
        self.done = done
        self.total = total
        self.unit = unit
    }

    /// What is told of progress; it may throw to end the job.
    public typealias Handler = (JobProgress) throws -> Void
}
