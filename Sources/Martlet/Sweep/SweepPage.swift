import Foundation
import MartletCompression

/// A sweep as one page of HTML that needs nothing besides itself: no script, no network, inline SVG, light and dark, for
/// small screens and for paper.
struct SweepPage {
    private let result: SweepResult

    init(_ result: SweepResult) { self.result = result }

    /// The page.
    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(result.network)): compressed networks</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(escaped(result.network))</h1>
        <p>Compressed by Martlet \(escaped(result.version)), calibrated on \(escaped(result.calibration)), evaluated on \
        \(escaped(result.data)). Whiskers are 95 % intervals (Wilson). The dashed line is the network as it is.</p>
        \(legend)
        \(charts)
        <h2>All networks</h2>
        \(table)
        <h2>Layers</h2>
        \(details)
        </main>
        </body>
        </html>

        """
    }

    private static let style = """
        :root { --paper: #fff; --ink: #1a1a1a; --faint: #767676; --line: #d8d8d8; --s0: #0b5fa5; --s1: #b3410e; \
        --s2: #2b7a3d; --s3: #7a3d9a; --s4: #8a6a00; --s5: #00747a; }
        @media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #ececec; --faint: #9a9a9a; --line: #3a3d42; \
        --s0: #6cb4f0; --s1: #f29161; --s2: #7fcf92; --s3: #cf9cec; --s4: #e0bf54; --s5: #5fd0d6; } }
        @media print { :root { --paper: #fff; --ink: #000; --faint: #444; --line: #bbb; --s0: #0b5fa5; --s1: #b3410e; \
        --s2: #2b7a3d; --s3: #7a3d9a; --s4: #8a6a00; --s5: #00747a; } details::details-content { display: block; } \
        figure, tr { break-inside: avoid; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
        figure { margin: 0; } figcaption { font-weight: 600; }
        .charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
        svg { width: 100%; height: auto; display: block; }
        svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
        .axis { stroke: var(--line); fill: none; } .reference { stroke: var(--faint); stroke-dasharray: 4 4; }
        .legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
        .legend li { display: flex; gap: .4rem; align-items: center; } .legend svg { width: 1rem; height: 1rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .875rem; width: 100%; }
        th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; }
        code { font-size: .8125rem; overflow-wrap: anywhere; }
        summary { cursor: pointer; padding: .25rem 0; }
        .s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } \
        .s4 { color: var(--s4); } .s5 { color: var(--s5); }
        """

    // MARK: Text

    private func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private func percent(_ part: Double?) -> String { part.map { fixed($0 * 100, 1) } ?? "" }
    private func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    private func range(_ ends: [Double]?) -> String {
        guard let ends, ends.count == 2 else { return "" }
        return "\(percent(ends[0])) to \(percent(ends[1]))"
    }

    private var methods: [String] {
        var seen: [String] = []
        for point in result.points where !seen.contains(point.method) { seen.append(point.method) }
        return seen
    }

    // MARK: Charts

    /// A number of a network, and how to write it.
    private struct Quantity {
        var title: String
        var value: (SweepResult.Figures) -> Double?
        var label: (Double) -> String
    }

    private var legend: String {
        let items = methods.enumerated().map { index, method in
            "<li><svg viewBox=\"-8 -8 16 16\" class=\"s\(index % 6)\" aria-hidden=\"true\">\(marker(index, 0, 0))</svg>"
                + "\(escaped(method))</li>"
        }
        return "<ul class=\"legend\">\(items.joined())</ul>"
    }

    private var charts: String {
        let horizontal = [
            Quantity(title: "million parameters", value: { Double($0.parameters) / 1e6 }, label: { short($0) }),
            Quantity(title: "million multiply-adds", value: { Double($0.multiplyAdds) / 1e6 }, label: { short($0) }),
            Quantity(title: "milliseconds", value: { $0.milliseconds }, label: { short($0) }),
        ]
        let vertical = [
            (Quantity(title: "top-1, %", value: { $0.evaluation.top1 }, label: { fixed($0 * 100, 0) }), true),
            (Quantity(title: "agreement, %", value: { $0.evaluation.agreement }, label: { fixed($0 * 100, 0) }), false),
        ]
        var figures: [String] = []
        for (y, hasIntervals) in vertical {
            for x in horizontal {
                if let figure = chart(x, y, hasIntervals: hasIntervals) { figures.append(figure) }
            }
        }
        return "<div class=\"charts\">\(figures.joined(separator: "\n"))</div>"
    }

    private func short(_ value: Double) -> String {
        value >= 100 ? fixed(value, 0) : value >= 10 ? fixed(value, 1) : fixed(value, 2)
    }

    private func chart(_ x: Quantity, _ y: Quantity, hasIntervals: Bool) -> String? {
        let known = result.points.compactMap(\.figures) + [result.original]
        let (xs, ys) = (known.compactMap(x.value), known.compactMap(y.value))
        guard ys.count > 1, let right = xs.max(), right > 0, let lowest = ys.min() else { return nil }
        let (width, height, left, bottom, top) = (360.0, 240.0, 44.0, 40.0, 12.0)
        let floor = max(0, (lowest * 10).rounded(.down) / 10 - 0.05)
        func px(_ value: Double) -> Double { left + value / (right * 1.05) * (width - left - 8) }
        func py(_ value: Double) -> Double {
            height - bottom - (value - floor) / (1 - floor) * (height - bottom - top)
        }
        var parts: [String] = []
        for step in 0...4 {
            let (value, along) = (floor + (1 - floor) * Double(step) / 4, right * 1.05 * Double(step) / 4)
            parts.append(
                "<path class=\"axis\" d=\"M\(fixed(left, 1)) \(fixed(py(value), 1))H\(fixed(width - 8, 1))\"/>")
            parts.append(
                "<text x=\"\(fixed(left - 6, 1))\" y=\"\(fixed(py(value) + 4, 1))\" text-anchor=\"end\">\(y.label(value))</text>"
            )
            parts.append(
                "<text x=\"\(fixed(px(along), 1))\" y=\"\(fixed(height - bottom + 16, 1))\" text-anchor=\"\(step == 4 ? "end" : "middle")\">"
                    + "\(x.label(along))</text>")
        }
        if let value = y.value(result.original) {
            parts.append(
                "<path class=\"reference\" d=\"M\(fixed(left, 1)) \(fixed(py(value), 1))H\(fixed(width - 8, 1))\"/>")
        }
        for (index, method) in methods.enumerated() {
            let figures = result.points.filter { $0.method == method }.compactMap(\.figures)
                .filter { x.value($0) != nil && y.value($0) != nil }
                .sorted { (x.value($0) ?? 0) < (x.value($1) ?? 0) }
            let places = figures.map { (px(x.value($0) ?? 0), py(y.value($0) ?? 0)) }
            let path = places.enumerated().map { "\($0 == 0 ? "M" : "L")\(fixed($1.0, 1)) \(fixed($1.1, 1))" }
            var group = "<path d=\"\(path.joined())\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>"
            for (figure, place) in zip(figures, places) {
                let ends = hasIntervals ? figure.evaluation.top1Interval : nil
                if let ends, ends.count == 2 {
                    let whisker = "M\(fixed(place.0, 1)) \(fixed(py(max(floor, ends[0])), 1))V\(fixed(py(ends[1]), 1))"
                    group += "<path d=\"\(whisker)\" stroke=\"currentColor\"/>"
                }
                group += marker(index, place.0, place.1)
            }
            if !places.isEmpty { parts.append("<g class=\"s\(index % 6)\">\(group)</g>") }
        }
        parts.append(
            "<text x=\"\(fixed((left + width) / 2, 1))\" y=\"\(fixed(height - 6, 1))\" text-anchor=\"middle\">\(x.title)</text>"
        )
        let title = "\(y.title) against \(x.title)"
        return "<figure><figcaption>\(title)</figcaption><svg viewBox=\"0 0 \(fixed(width, 0)) \(fixed(height, 0))\" "
            + "role=\"img\" aria-label=\"\(title)\">\(parts.joined())</svg></figure>"
    }

    /// A sign of a series: shapes tell them apart where colours do not.
    private func marker(_ series: Int, _ x: Double, _ y: Double) -> String {
        func at(_ dx: Double, _ dy: Double) -> String { "\(fixed(x + dx, 1)) \(fixed(y + dy, 1))" }
        switch series % 6 {
        case 0: return "<circle cx=\"\(fixed(x, 1))\" cy=\"\(fixed(y, 1))\" r=\"4\" fill=\"currentColor\"/>"
        case 1: return "<path d=\"M\(at(-4, -4))h8v8h-8z\" fill=\"currentColor\"/>"
        case 2: return "<path d=\"M\(at(0, -5))L\(at(5, 4))L\(at(-5, 4))z\" fill=\"currentColor\"/>"
        case 3: return "<path d=\"M\(at(0, -5))L\(at(5, 0))L\(at(0, 5))L\(at(-5, 0))z\" fill=\"currentColor\"/>"
        case 4:
            return
                "<circle cx=\"\(fixed(x, 1))\" cy=\"\(fixed(y, 1))\" r=\"3.5\" fill=\"none\" stroke=\"currentColor\" "
                + "stroke-width=\"2\"/>"
        default:
            return "<path d=\"M\(at(-4, -4))L\(at(4, 4))M\(at(4, -4))L\(at(-4, 4))\" stroke=\"currentColor\" "
                + "stroke-width=\"2\"/>"
        }
    }

    // MARK: Tables

    private func rows(_ rows: [[String]], header: [String]) -> String {
        func line(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\($0)</\(tag)>" }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table><thead>\(line(header, "th"))</thead><tbody>"
            + rows.map { line($0, "td") }.joined(separator: "\n") + "</tbody></table></div>"
    }

    private var table: String {
        func cells(_ name: String, _ budget: String, _ figures: SweepResult.Figures) -> [String] {
            let evaluation = figures.evaluation
            var cells = [escaped(name), escaped(budget), fixed(Double(figures.parameters) / 1e6, 3)]
            cells += [fixed(Double(figures.multiplyAdds) / 1e6, 1), figures.milliseconds.map { fixed($0, 3) } ?? ""]
            cells += [percent(evaluation.top1), range(evaluation.top1Interval), percent(evaluation.agreement)]
            return cells
        }
        var body = [cells("original", "", result.original) + [""]]
        for point in result.points {
            if let figures = point.figures {
                let predicted = point.predicted.map { "\(percent($0.agreement)) (\(range($0.interval)))" }
                body.append(cells(point.method, point.budget, figures) + [predicted ?? ""])
            } else {
                body.append(
                    [escaped(point.method), escaped(point.budget), escaped(point.problem ?? "")]
                        + [String](repeating: "", count: 6))
            }
        }
        let header = [
            "method", "budget", "M parameters", "M MACs", "ms", "top-1, %", "95 %", "agreement, %", "predicted, %",
        ]
        return rows(body, header: header)
    }

    private var details: String {
        result.points.filter { $0.figures != nil }.map { point in
            let body = point.layers.map { layer in
                let method = layer.kept == nil ? layer.method?.rawValue ?? "" : "kept: \(layer.kept ?? "")"
                let ranks = layer.kept == nil ? layer.ranks?.map(String.init).joined(separator: "x") ?? "" : ""
                return [
                    escaped(layer.title), escaped(method), ranks, "\(layer.parametersBefore)",
                    "\(layer.parametersAfter)",
                    layer.sigmaError.map { fixed($0, 4) } ?? "", layer.millisecondsBefore.map { fixed($0, 3) } ?? "",
                    layer.millisecondsPredicted.map { fixed($0, 3) } ?? "",
                    layer.millisecondsAfter.map { fixed($0, 3) } ?? "",
                ]
            }
            let header = [
                "layer", "method", "ranks", "parameters", "after", "Sigma error", "ms", "ms predicted", "ms after",
            ]
            return "<details><summary>\(escaped(point.method)), \(escaped(point.budget))</summary>"
                + "<p><code>\(escaped(point.command))</code></p>\(rows(body, header: header))</details>"
        }.joined(separator: "\n")
    }
}
