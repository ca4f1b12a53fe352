#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Any JSON value.
enum JSONValue: Hashable, Sendable, Codable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The object that `text` is.
    /// - Throws: ``PreprocessingError/notJSON(source:reason:)``.
    static func object(_ text: String, source: String) throws(PreprocessingError) -> [String: JSONValue] {
        do {
            if case .object(let fields) = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) {
                return fields
            }
        } catch DecodingError.dataCorrupted(let context) {
            throw .notJSON(source: source, reason: context.debugDescription)
        } catch {
            throw .notJSON(source: source, reason: "\(error)")
        }
        throw .notJSON(source: source, reason: "it is another value")
    }
}
