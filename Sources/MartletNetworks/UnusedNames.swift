/// Gives out names that nothing has yet.
///
/// Where many wish for one name, each is found at once: the search goes on where it last ended.
public struct UnusedNames {
    private var taken: Set<String>
    private var numbers: [String: Int] = [:]

    /// Names that are not in `taken`.
    public init(taken: Set<String>) { self.taken = taken }

    /// `wish`, or `wish` with a number; taken from now on.
    public mutating func take(_ wish: String) -> String {
        if taken.insert(wish).inserted { return wish }
        var number = numbers[wish] ?? 2
        while !taken.insert("\(wish).\(number)").inserted { number += 1 }
        numbers[wish] = number + 1
        return "\(wish).\(number)"
    }
}
