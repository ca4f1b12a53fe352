import Foundation
import Synchronization

/// SIGINT and SIGTERM as a question: a long job asks between two steps whether it should stop. A second signal ends the
/// process at once.
enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// The signal that came, 0 for none.
    static var signal: Int32 { received.load(ordering: .relaxed) }

    /// From now on, signals are noted.
    static func watch() {
        // Made before a signal can come: handlers must not initialise anything.
        _ = received.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            Foundation.signal(number) { number in
                Interruption.note(number)
                Foundation.signal(number, SIG_DFL)
            }
        }
    }

    private static func note(_ number: Int32) { received.store(number, ordering: .relaxed) }
}
