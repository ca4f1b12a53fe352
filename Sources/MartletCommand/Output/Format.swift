import Foundation

/// Numbers as people read them.
enum Format {
    /// Three significant digits.
    static func number(_ value: Double) -> String {
        if !value.isFinite { return "\(value)" }
        if value == 0 { return "0" }
        if abs(value) >= 1000 { return grouped(Int(value.rounded())) }
        return String(format: "%.3g", value)
    }

    /// Thousands apart: 11,689,512.
    static func grouped(_ value: Int) -> String {
        let digits = String(abs(value))
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return value < 0 ? "-" + result : result
    }

    /// A part as percent with two decimals.
    static func percent(_ part: Double) -> String { String(format: "%.2f %%", part * 100) }

    /// A squared relative error.
    static func error(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "" }

    /// A number with so many decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    /// Milliseconds with three decimals.
    static func milliseconds(_ value: Double) -> String { String(format: "%.3f ms", value) }

    /// Bytes with a unit.
    static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        var value = Double(count)
        for unit in ["KiB", "MiB", "GiB"] {
            value /= 1024
            if value < 1024 || unit == "GiB" { return String(format: "%.1f %@", value, unit) }
        }
        return "\(count) B"
    }

    /// Seconds, or minutes and seconds, or hours and minutes.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// Extents with crosses: 64x64x3x3.
    static func extents(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: "x") }
}
