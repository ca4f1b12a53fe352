import Foundation
import Testing

@testable import Martlet

@Suite struct SweepResultTests {
    func result() throws -> SweepResult {
        func figures(_ parameters: Int, _ top1: Double) throws -> SweepResult.Figures {
            let json = """
                {"images": 100, "top1": \(top1), "top5": 1, "agreement": \(top1),
                "top1_interval": [\(top1 - 0.1), \(min(1, top1 + 0.1))]}
                """
            return SweepResult.Figures(
                parameters: parameters, multiplyAdds: 10 * parameters, milliseconds: 0.1,
                evaluation: try JSONDecoder().decode(EvaluationResult.self, from: Data(json.utf8)))
        }
        let json = """
            {"name": "<b>&\\"layer", "shape": [4, 4, 3, 3], "parameters_before": 10, "parameters_after": 5, "macs_before": 1,
            "macs_after": 1, "method": "channel-svd-sigma", "ranks": [3], "seconds": 0}
            """
        let layer = try JSONDecoder().decode(CompressionReport.Layer.self, from: Data(json.utf8))
        let command = "martlet compress net.onnx --images 'a,\"b'"
        return SweepResult(
            network: "<script>alert(1)</script>", data: "images & more", calibration: "others", version: "0",
            original: try figures(100, 0.9),
            points: [
                SweepResult.Point(
                    method: "best", budget: "params=0.5", figures: try figures(50, 0.8), problem: nil,
                    predicted: AgreementPrediction(loss: 0.1, disagreement: 0.2), layers: [layer], command: command),
                SweepResult.Point(
                    method: "paper", budget: "params=0.5", figures: nil, problem: "out, of reach", predicted: nil,
                    layers: [], command: command),
            ])
    }

    @Test func pageNeedsNothingElse() throws {
        let html = SweepPage(try result()).html
        #expect(!html.contains("<script"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(html.contains("&lt;b&gt;&amp;&quot;layer"))
        for outside in ["http:", "https:", "src=", "@import", "url(", "<link"] {
            #expect(!html.contains(outside), "\(outside)")
        }
        #expect(html.contains("prefers-color-scheme: dark") && html.contains("@media print"))
        #expect(html.contains("width=device-width"))
        // Six charts, and a sign for each method in the legend.
        #expect(html.components(separatedBy: "<figure>").count == 7)
        #expect(!html.contains("nan") && !html.contains("inf\""))
        // Every element that is opened is closed again.
        for tag in ["svg", "g", "figure", "table", "tr", "td", "details", "div", "main", "body", "html"] {
            let opened = html.components(separatedBy: "<\(tag)>").count + html.components(separatedBy: "<\(tag) ").count
            #expect(opened - 1 == html.components(separatedBy: "</\(tag)>").count, "\(tag)")
        }
    }

    @Test func csvQuotes() throws {
        let lines = try result().csv.components(separatedBy: "\r\n")
        #expect(lines.count == 5 && lines[4].isEmpty)
        #expect(lines[1].hasPrefix("original,,100,1000,0.1,100,0.9,"))
        #expect(lines[2].hasSuffix("\"martlet compress net.onnx --images 'a,\"\"b'\""))
        #expect(lines[3].hasPrefix("paper,params=0.5,,,,"))
        #expect(lines[3].contains("\"out, of reach\""))
        let count = lines[0].components(separatedBy: ",").count
        #expect(lines[1].components(separatedBy: ",").count == count)
    }

    @Test func jsonComesBack() throws {
        let json = try result().json()
        let back = try JSONDecoder().decode(SweepResult.self, from: Data(json.utf8))
        #expect(try back.json() == json)
    }

    @Test func predictionsAreOrdered() {
        var last = 1.0
        for part in [0.001, 0.01, 0.1, 0.3, 0.5, 0.9] {
            let prediction = AgreementPrediction(loss: part, disagreement: part)
            #expect(prediction.agreement < last)
            #expect(prediction.interval[0] < prediction.agreement && prediction.agreement < prediction.interval[1])
            #expect(prediction.interval[0] > 0 && prediction.interval[1] <= 1)
            last = prediction.agreement
        }
        #expect(AgreementPrediction(loss: 0, disagreement: 0).agreement > 0.99)
    }
}
