import MartletTensors

/// The attributes of one node, each asked for by name and type; what nobody asked for is found out at the end.
struct AttributeReader {
    /// Why a node cannot be read.
    enum Defect: Error {
        /// It is valid, but Martlet does not do it.
        case unsupported(String)
        /// It is not valid ONNX.
        case invalid(String)
    }

    private var attributes: [String: AttributeProto] = [:]
    private var asked: Set<String> = []

    init(_ node: NodeProto) throws(Defect) {
        for attribute in node.attribute {
            if attributes.updateValue(attribute, forKey: attribute.name) != nil {
                throw .invalid("attribute '\(attribute.name)' stands twice")
            }
        }
    }

    mutating func has(_ name: String) -> Bool { attributes[name] != nil }

    mutating func integer(_ name: String, default fallback: Int) throws(Defect) -> Int {
        Int(try value(name, .int)?.i ?? Int64(fallback))
    }

    mutating func flag(_ name: String, default fallback: Bool = false) throws(Defect) -> Bool {
        try integer(name, default: fallback ? 1 : 0) != 0
    }

    mutating func optionalInteger(_ name: String) throws(Defect) -> Int? { try value(name, .int).map { Int($0.i) } }

    mutating func float(_ name: String, default fallback: Float) throws(Defect) -> Float {
        try value(name, .float)?.f ?? fallback
    }

    mutating func optionalFloat(_ name: String) throws(Defect) -> Float? { try value(name, .float)?.f }

    mutating func integers(_ name: String) throws(Defect) -> [Int]? { try value(name, .ints)?.ints.map { Int($0) } }

    mutating func floats(_ name: String) throws(Defect) -> [Float]? { try value(name, .floats)?.floats }

    mutating func string(_ name: String, default fallback: String) throws(Defect) -> String {
        guard let attribute = try value(name, .string) else { return fallback }
        return String(decoding: attribute.s, as: UTF8.self)
    }

    mutating func tensor(_ name: String) throws(Defect) -> TensorProto? { try value(name, .tensor)?.t }

    /// Takes note of attributes that change nothing here.
    mutating func ignore(_ names: String...) { asked.formUnion(names) }

    /// Refuses what nobody asked for: an attribute that is not understood may change what the node means.
    func finish() throws(Defect) {
        if let name = attributes.keys.filter({ !asked.contains($0) }).min() {
            throw .unsupported("attribute '\(name)'")
        }
    }

    private mutating func value(_ name: String, _ type: AttributeProto.AttributeType) throws(Defect) -> AttributeProto?
    {
        asked.insert(name)
        guard let attribute = attributes[name] else { return nil }
        // Old files leave the type out.
        if attribute.type != type, attribute.type != .undefined {
            throw .invalid("attribute '\(name)' is not of type \(type)")
        }
        return attribute
    }
}
