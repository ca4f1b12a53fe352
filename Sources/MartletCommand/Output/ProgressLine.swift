import Foundation
import Martlet

/// One line on standard error with how far, how fast and how long still; silent when nobody looks.
final class ProgressLine {
    private let start = ContinuousClock.now
    private var last: ContinuousClock.Instant?

    /// Shows a state, a few times a second at most.
    func show(_ progress: JobProgress) {
        guard Terminal.isInteractive else { return }
        let now = ContinuousClock.now
        if let last, now - last < .milliseconds(200), progress.done < progress.total { return }
        last = now
        let seconds = (now - start) / .seconds(1)
        let rate = Double(progress.done) / max(seconds, 1e-3)
        let left = Double(progress.total - progress.done) / max(rate, 1e-9)
        let text = "\(progress.task) \(progress.done)/\(progress.total) \(progress.unit)"
        Terminal.writeError("\r\u{1B}[K\(text), \(Format.number(rate))/s, \(Format.duration(left)) left")
    }

    /// Removes the line.
    func finish() { Terminal.clearProgress() }
}
