import Foundation

/// What of a network is to be made small.
public enum CostMeasure: String, Sendable, CaseIterable, Codable {
    /// Trained numbers.
    case parameters = "params"
    /// Multiply-adds on one image.
    case multiplyAdds = "macs"
    /// Bytes of the constants.
    case bytes
    /// Milliseconds an image, measured on this machine.
    case latency
}

/// How small a network is to become.
///
/// As text: `params=0.5`, `macs=0.5`, `latency=0.6` and `bytes=0.5` are parts of the original; `bytes=6000000`, `bytes=6MB`,
/// `params=5000000` and `latency=3ms` say it outright; `drop=1%` asks for the smallest network that loses no more accuracy
/// than that.
public enum Budget: Sendable, Equatable {
    /// A part of what the original costs, more than 0 and at most 1.
    case part(CostMeasure, Double)
    /// An amount, in the measure's unit.
    case amount(CostMeasure, Double)
    /// The accuracy, or without labels the agreement with the original, that may be lost: a part of all images.
    case drop(Double)

    /// How far from the budget a result may be.
    public static let tolerance = 0.01

    /// Reads a budget as text.
    /// - Throws: ``CompressionError/budgetText(_:)``.
    public init(parsing text: String) throws(CompressionError) {
        let fields = text.split(separator: "=", omittingEmptySubsequences: false)
        guard fields.count == 2 else { throw .budgetText(text) }
        func number(_ text: Substring) -> Double? {
            guard let value = Double(text), value > 0, value < 1e18 else { return nil }
            return value
        }
        if fields[0] == "drop" {
            let isPercent = fields[1].hasSuffix("%")
            guard let value = number(isPercent ? fields[1].dropLast() : fields[1]) else { throw .budgetText(text) }
            let part = isPercent ? value / 100 : value
            guard part < 1 else { throw .budgetText(text) }
            self = .drop(part)
            return
        }
        guard let measure = CostMeasure(rawValue: String(fields[0])) else { throw .budgetText(text) }
        let units: [(String, Double)] =
            switch measure {
            case .bytes: [("KiB", 1024), ("MiB", 1_048_576), ("kB", 1e3), ("MB", 1e6), ("B", 1)]
            case .latency: [("ms", 1), ("us", 1e-3)]
            case .parameters, .multiplyAdds: [("k", 1e3), ("M", 1e6), ("G", 1e9)]
            }
        for (unit, factor) in units where fields[1].hasSuffix(unit) {
            guard let value = number(fields[1].dropLast(unit.count)) else { break }
            self = .amount(measure, value * factor)
            return
        }
        let isPercent = fields[1].hasSuffix("%")
        guard let value = number(isPercent ? fields[1].dropLast() : fields[1]) else { throw .budgetText(text) }
        let part = isPercent ? value / 100 : value
        if part <= 1 {
            self = .part(measure, part)
        } else if isPercent || measure == .latency {
            // Milliseconds have to say so: 2 could be twice as slow.
            throw .budgetText(text)
        } else {
            self = .amount(measure, part)
        }
    }

    /// The measure, for a budget that has one.
    public var measure: CostMeasure? {
        switch self {
        case .part(let measure, _), .amount(let measure, _): measure
        case .drop: nil
        }
    }

    /// The amount that may be spent where the original costs `original`; `nil` for a drop.
    public func limit(original: Double) -> Double? {
        switch self {
        case .part(_, let part): part * original
        case .amount(_, let amount): amount
        case .drop: nil
        }
    }
}

extension Budget: CustomStringConvertible {
    /// As ``init(parsing:)`` reads it.
    public var description: String {
        switch self {
        case .part(let measure, let part): "\(measure.rawValue)=\(part)"
        case .amount(.latency, let amount): "latency=\(amount)ms"
        case .amount(.bytes, let amount): "bytes=\(Int(amount))B"
        case .amount(let measure, let amount): "\(measure.rawValue)=\(Int(amount))"
        case .drop(let part): "drop=\(part)"
        }
    }
}
