/// The fields of a JSON object, taken one by one, so that those nobody asked for can be named at the end.
struct JSONFields {
    let source: String
    private let fields: [String: JSONValue]
    private var taken: Set<String> = []

    init(_ fields: [String: JSONValue], source: String) {
        // A null field is an absent one.
        self.fields = fields.filter { $0.value != .null }
        self.source = source
    }

    /// The names not taken yet, sorted.
    var rest: [String] { fields.keys.filter { !taken.contains($0) }.sorted() }

    func has(_ name: String) -> Bool { fields[name] != nil }

    /// The value of a field without taking it.
    func peek(_ name: String) -> JSONValue? { fields[name] }

    mutating func take(_ name: String) -> JSONValue? {
        taken.insert(name)
        return fields[name]
    }

    func error(_ name: String, _ reason: String) -> PreprocessingError {
        .field(name, source: source, reason: reason)
    }

    mutating func bool(_ name: String) throws(PreprocessingError) -> Bool? {
        switch take(name) {
        case nil: return nil
        case .bool(let value): return value
        default: throw error(name, "expected true or false")
        }
    }

    mutating func number(_ name: String) throws(PreprocessingError) -> Double? {
        switch take(name) {
        case nil: return nil
        case .number(let value): return value
        default: throw error(name, "expected a number")
        }
    }

    mutating func string(_ name: String) throws(PreprocessingError) -> String? {
        switch take(name) {
        case nil: return nil
        case .string(let value): return value
        default: throw error(name, "expected a text")
        }
    }

    /// A number or an array of numbers.
    mutating func numbers(_ name: String) throws(PreprocessingError) -> [Double]? {
        switch take(name) {
        case nil: return nil
        case .number(let value): return [value]
        case .array(let values):
            var numbers: [Double] = []
            for value in values {
                guard case .number(let number) = value else { throw error(name, "expected numbers") }
                numbers.append(number)
            }
            return numbers
        default: throw error(name, "expected an array of numbers")
        }
    }

    /// The integer values of an object whose only fields are `names`, or `nil` if its fields are others.
    func sides(_ name: String, of value: JSONValue, _ names: [String]) throws(PreprocessingError) -> [Int]? {
        guard case .object(let object) = value, Set(object.keys) == Set(names) else { return nil }
        var sides: [Int] = []
        for side in names {
            guard case .number(let number) = object[side], let integer = Int(exactly: number) else {
                throw error(name, "\(side) is not a whole number")
            }
            sides.append(integer)
        }
        return sides
    }

    /// - Throws: ``PreprocessingError/field(_:source:reason:)`` for a field that was not taken.
    func checkNothingLeft() throws(PreprocessingError) {
        if let name = rest.first { throw error(name, "unknown; it might change the result") }
    }
}
