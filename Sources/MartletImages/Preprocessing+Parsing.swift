// The values of command-line flags.

extension Preprocessing {
    /// A crop as a flag states it: a size, or none at all.
    public enum Crop: Hashable, Sendable {
        /// No crop.
        case none
        /// The middle of this size.
        case center(Size)

        /// The size, if there is a crop.
        public var size: Size? {
            switch self {
            case .none: nil
            case .center(let size): size
            }
        }

        /// The crop that `none`, `N` or `WIDTHxHEIGHT` says.
        /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
        public init(parsing text: String) throws(PreprocessingError) {
            let sides = Preprocessing.sides(text)
            switch (text, sides?.count) {
            case ("none", _): self = .none
            case (_, 1): self = .center(Size(width: sides?[0] ?? 0, height: sides?[0] ?? 0))
            case (_, 2): self = .center(Size(width: sides?[0] ?? 0, height: sides?[1] ?? 0))
            default: throw .invalidValue(option: "--crop", value: text, expected: "N, WIDTHxHEIGHT or none")
            }
        }
    }

    /// One to three numbers that `1/255`, `0.5` or `0.485,0.456,0.406` says; `option` is what errors call it.
    /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
    public static func numbers(parsing text: String, option: String) throws(PreprocessingError) -> [Double] {
        let fields = text.split(whereSeparator: { $0 == "," || $0 == " " })
        let numbers = fields.compactMap(number)
        guard numbers.count == fields.count, (1...3).contains(numbers.count) else {
            throw .invalidValue(option: option, value: text, expected: "one number, or three with commas between")
        }
        return numbers
    }

    /// The number that `1/255` or `0.5` says; `option` is what errors call it.
    /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
    public static func number(parsing text: String, option: String) throws(PreprocessingError) -> Double {
        guard let number = number(text[...]) else {
            throw .invalidValue(option: option, value: text, expected: "a number such as 0.5 or 1/255")
        }
        return number
    }

    private static func number(_ text: Substring) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
        let number: Double?
        switch parts.count {
        case 1: number = parts[0]
        case 2: number = parts[0].flatMap { top in parts[1].map { top / $0 } }
        default: number = nil
        }
        return number.flatMap { $0.isFinite ? $0 : nil }
    }

    /// `N` or `WIDTHxHEIGHT`.
    fileprivate static func sides(_ text: String) -> [Int]? {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        let sides = parts.compactMap { Int($0) }
        return sides.count == parts.count && sides.count <= 2 ? sides : nil
    }
}

extension Preprocessing.Resize {
    /// The resize that `none`, `N` (the shorter side) or `WIDTHxHEIGHT` says.
    /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
    public init(parsing text: String) throws(PreprocessingError) {
        let sides = Preprocessing.sides(text)
        switch (text, sides?.count) {
        case ("none", _): self = .none
        case (_, 1): self = .shorterSide(sides?[0] ?? 0)
        case (_, 2): self = .exact(width: sides?[0] ?? 0, height: sides?[1] ?? 0)
        default:
            throw .invalidValue(
                option: "--resize", value: text, expected: "N (the shorter side), WIDTHxHEIGHT or none")
        }
    }
}

extension Interpolation {
    /// The filter of this name.
    /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
    public init(parsing text: String) throws(PreprocessingError) {
        guard let filter = Interpolation(rawValue: text) else {
            let names = Interpolation.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidValue(option: "--interpolation", value: text, expected: "one of \(names)")
        }
        self = filter
    }
}

extension ChannelOrder {
    /// The order of this name.
    /// - Throws: ``PreprocessingError/invalidValue(option:value:expected:)``.
    public init(parsing text: String) throws(PreprocessingError) {
        guard let order = ChannelOrder(rawValue: text == "gray" ? "grey" : text) else {
            throw .invalidValue(option: "--channels", value: text, expected: "rgb, bgr or grey")
        }
        self = order
    }
}
