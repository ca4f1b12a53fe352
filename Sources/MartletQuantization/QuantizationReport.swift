/// What a quantization did.
public struct QuantizationReport: Codable, Sendable {
    /// One layer.
    public struct Layer: Codable, Sendable {
        /// The name.
        public var name: String
        /// What its weights are held in: int8, float16 or float32.
        public var precision: String
        /// How the range of its input was found.
        public var range: RangeMethod?
        /// The squared error of its result over the square of the result, on the calibration images, from rounding its weights
        /// and its input.
        public var error: Double?

        /// A layer of which only this is known.
        public init(name: String, precision: String) {
            self.name = name
            self.precision = precision
        }
    }

    /// What was asked for: int8 or float16.
    public var precision: String
    /// The layers with weights, in execution order.
    public var layers: [Layer]
    /// Bytes of the constants.
    public var bytesBefore: Int
    /// Bytes of the constants afterwards.
    public var bytesAfter: Int
    /// What keeping layers in floating point was decided by, in points; `nil` if that was not asked for.
    public var drop: Double?

    /// A report.
    public init(precision: String, layers: [Layer], bytesBefore: Int, bytesAfter: Int) {
        self.precision = precision
        self.layers = layers
        self.bytesBefore = bytesBefore
        self.bytesAfter = bytesAfter
    }

    enum CodingKeys: String, CodingKey {
        case precision, layers, drop
        case bytesBefore = "bytes_before"
        case bytesAfter = "bytes_after"
    }
}
