/// A pattern for names: `*` stands for any number of characters, `?` for one, everything else for itself.
public struct NamePattern: Sendable, Hashable {
    /// The pattern as written.
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Whether it stands for the whole name.
    public func matches(_ name: String) -> Bool {
        let (pattern, name) = (Array(text), Array(name))
        var (p, n) = (0, 0)
        // Where to go on if what follows the last star does not fit: one character later.
        var retry: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                retry = (p + 1, n)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let (after, from) = retry {
                retry = (after, from + 1)
                (p, n) = (after, from + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
