import Foundation
import Martlet
import Synchronization

/// Ctrl-C (SIGINT) and SIGTERM, as an error that unwinds the work: files that are being written disappear on the way.
///
/// A second one ends the process at once.
enum Interruption {
    private static let signal = Atomic<Int32>(0)

    /// Begins to listen.
    static func listen() {
        for number in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                Interruption.signal.store(number, ordering: .relaxed)
                // The next one finds the system's own handler.
                Foundation.signal(number, SIG_DFL)
            }
            sigaction(number, &action, nil)
        }
    }

    /// Ends the work if somebody asked for it.
    /// - Throws: ``Interrupted``.
    static func check() throws {
        let number = signal.load(ordering: .relaxed)
        if number != 0 { throw Interrupted(signal: number) }
    }
}

/// The work was interrupted.
struct Interrupted: Error {
    /// What ended it.
    var signal: Int32
    /// The exit code that shells expect.
    var exitCode: Int32 { 128 + signal }
}
