import Foundation
import Synchronization

/// Ctrl-C (SIGINT) and SIGTERM as a question: a long job asks between two steps whether it should stop. A second signal ends
/// the process at once.
enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// The signal that came, 0 for none.
    static var signal: Int32 { received.load(ordering: .relaxed) }

    /// From now on, signals are noted.
    static func watch() {
        // Made before a signal can come: handlers must not initialise anything.
        _ = received.load(ordering: .relaxed)
        // A parent may have left them blocked: processes inherit that.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            Foundation.signal(number) { number in
                Interruption.note(number)
                Foundation.signal(number, SIG_DFL)
            }
        }
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Ends the work if somebody asked for it: files that are being written disappear on the way.
    /// - Throws: ``Interrupted``.
    static func check() throws {
        if signal != 0 { throw Interrupted(signal: signal) }
    }

    private static func note(_ number: Int32) { received.store(number, ordering: .relaxed) }
}

/// The work was interrupted.
struct Interrupted: Error {
    /// What ended it.
    var signal: Int32
    /// The exit code that shells expect.
    var exitCode: Int32 { 128 + signal }
}
