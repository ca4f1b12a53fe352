import Martlet

/// What came of adding up statistics.
struct MergedStatistics: Codable {
    var output: String
    var images: Int
    var layers: Int
    var parts: Int

    init(_ output: String, _ provenance: Provenance, layers: Int) {
        self.output = output
        images = provenance.images
        self.layers = layers
        parts = provenance.parts.count
    }

    func print(asJSON: Bool) throws {
        if asJSON { return try Terminal.printJSON(self) }
        Swift.print(
            "\(output): \(layers) layers over \(Format.grouped(images)) images from \(parts) "
                + (parts == 1 ? "part" : "parts"))
    }
}
