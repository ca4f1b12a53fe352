import Foundation
import MartletInference
import MartletNetworks
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletONNXFormat

/// What files may look like besides what exporters write today.
@Suite struct ReadingTests {
    private func identity(_ proto: TensorProto) throws -> Tensor {
        let network = try Models.read(
            Models.model([Models.node("Identity", ["w"], ["y"])], [proto], inputs: []))
        return try #require(network.constants["w"])
    }

    @Test func typedDataOfEveryElementType() throws {
        var proto = Models.bare("w", 1, [2])
        proto.floatData = [1.5, -2]
        #expect(try identity(proto) == Tensor([1.5, -2] as [Float], shape: [2]))
        proto = Models.bare("w", 11, [2])
        proto.doubleData = [1.5, -2]
        #expect(try identity(proto) == Tensor([1.5, -2] as [Double], shape: [2]))
        proto = Models.bare("w", 7, [2])
        proto.int64Data = [.min, 5]
        #expect(try identity(proto) == Tensor([.min, 5] as [Int64], shape: [2]))
        proto = Models.bare("w", 12, [2])
        proto.uint64Data = [7, UInt64(UInt32.max)]
        #expect(try identity(proto) == Tensor([7, .max] as [UInt32], shape: [2]))
        proto = Models.bare("w", 13, [2])
        proto.uint64Data = [7, .max]
        #expect(try identity(proto) == Tensor([7, .max] as [UInt64], shape: [2]))
        func int32(_ type: Int32, _ values: [Int32]) -> TensorProto {
            var proto = Models.bare("w", type, [2])
            proto.int32Data = values
            return proto
        }
        #expect(try identity(int32(2, [7, 255])) == Tensor([7, 255] as [UInt8], shape: [2]))
        #expect(try identity(int32(3, [7, -128])) == Tensor([7, -128] as [Int8], shape: [2]))
        #expect(try identity(int32(4, [7, 65535])) == Tensor([7, 65535] as [UInt16], shape: [2]))
        #expect(try identity(int32(5, [7, -32768])) == Tensor([7, -32768] as [Int16], shape: [2]))
        #expect(try identity(int32(6, [7, .min])) == Tensor([7, .min] as [Int32], shape: [2]))
        #expect(try identity(int32(9, [0, 3])) == Tensor([false, true], shape: [2]))
        #expect(try identity(int32(10, [0x3E00, 0xC000])) == Tensor([1.5, -2] as [Float16], shape: [2]))
        for type: Int32 in [0, 8, 14, 15, 16, 17, 99, -1] {
            #expect(throws: ONNXError.self, "\(type)") { try identity(Models.bare("w", type, [0])) }
        }
    }

    @Test func rawDataOfEveryElementType() throws {
        for type in ElementType.allCases {
            let tensor = try Tensor([0, 1, 1] as [UInt8], shape: [3]).converted(to: type)
            let proto = TensorProto(tensor, name: "w")
            #expect(try identity(proto) == tensor)
            #expect(ElementType(onnx: type.onnx) == type)
        }
        var proto = Models.bare("w", 9, [3])
        proto.rawData = Data([0, 1, 0xFE])
        #expect(try identity(proto) == Tensor([false, true, true], shape: [3]))
    }

    @Test func scalarsAndTensorsWithoutElements() throws {
        #expect(try identity(Models.floats("w", [], [3])) == Tensor([3 as Float], shape: []))
        #expect(try identity(Models.floats("w", [2, 0, 5], [])).shape.extents == [2, 0, 5])
        var raw = Models.bare("w", 1, [0])
        raw.rawData = Data()
        #expect(try identity(raw).shape.extents == [0])
    }

    @Test(arguments: [1, 5, 6, 7, 9, 13, 17, 21] as [Int64]) func opsetsThatAreRead(_ opset: Int64) throws {
        let node = Models.node("GlobalAveragePool", ["x"], ["y"])
        #expect(try Models.read(Models.model([node], opset: opset)).nodes.count == 1)
    }

    @Test(arguments: [.min, -1, 0, 22, 1_000_000, .max] as [Int64]) func opsetsThatAreNot(_ opset: Int64) throws {
        #expect(throws: ONNXError.unsupported(file: "made.onnx", items: ["opset \(opset): Martlet reads 1 to 21"])) {
            try Models.read(Models.model([Models.node("Relu", ["x"], ["y"])], opset: opset))
        }
    }

    @Test func operatorsThatOldOpsetsHadOtherwise() throws {
        #expect(throws: ONNXError.self) {
            try Models.read(
                Models.model([Models.node("BatchNormalization", ["x", "a", "a", "a", "a"], ["y"])], opset: 5))
        }
    }

    /// Networks in other precisions than Martlet's own are read, and run once simplified.
    @Test(arguments: [(10, Float(2e-3)), (11, 1e-6)] as [(Int32, Float)])
    func otherPrecisions(_ type: Int32, _ tolerance: Float) throws {
        let element = try #require(ElementType(onnx: type))
        var generator = SeededGenerator(seed: 5)
        func weight(_ name: String, _ shape: Shape) throws -> TensorProto {
            TensorProto(
                try Tensor(generator.floats(shape.elementCount), shape: shape).converted(to: element), name: name)
        }
        let tensors = [try weight("w", [3, 2, 3, 3]), try weight("b", [3])]
        let nodes = [Models.node("Conv", ["x", "w", "b"], ["c"]), Models.node("Relu", ["c"], ["y"])]
        let network = try Models.read(
            Models.model(
                nodes, tensors, inputs: [Models.value("x", [1, 2, 4, 4], type: type)],
                outputs: [Models.value("y", [1, 3, 2, 2], type: type)]))
        #expect(network.inputs[0].type.elementType == element && network.constants["w"]?.elementType == element)
        let simplified = try network.simplified()
        #expect(simplified.inputs[0].type.elementType == .float32 && simplified.outputs[0].type.elementType == .float32)
        let x = try Tensor(generator.floats(32), shape: [1, 2, 4, 4])
        let found = try #require(try Executor(network: simplified).run(["x": x])["y"])
        var same = network
        for (name, tensor) in network.constants { same.constants[name] = try tensor.converted(to: .float32) }
        same.inputs[0].type.elementType = .float32
        same.outputs[0].type.elementType = .float32
        let expected = try #require(try Executor(network: same).run(["x": x])["y"])
        #expect(
            relativeDifference(try found.elements(Float.self), try expected.elements(Float.self).map { Double($0) })
                < Double(tolerance))
        let inner = try Executor(network: network)
        let half = try x.converted(to: element)
        #expect(throws: NetworkError.self) { try inner.run(["x": half]) }
    }

    @Test func initialisersListedAmongTheInputs() throws {
        let network = try Models.read(
            Models.model(
                [Models.node("Add", ["x", "w"], ["y"])], [Models.floats("w", [1], [2])],
                inputs: [Models.value("x", [1]), Models.value("w", [1])]))
        #expect(network.inputs.map(\.name) == ["x"])
        #expect(network.constants["w"] != nil)
    }

    @Test func constantsInEveryForm() throws {
        func constant(_ attribute: AttributeProto) throws -> Tensor {
            let network = try Models.read(Models.model([Models.node("Constant", [], ["y"], [attribute])], inputs: []))
            #expect(network.nodes.isEmpty)
            return try #require(network.constants["y"])
        }
        #expect(try constant(Models.float("value_float", 2)) == Tensor([2 as Float], shape: []))
        #expect(try constant(Models.integer("value_int", -2)) == Tensor([-2 as Int64], shape: []))
        #expect(try constant(Models.integers("value_ints", [1, 2])) == Tensor([1, 2] as [Int64], shape: [2]))
        var floats = Models.attribute("value_floats", .floats)
        floats.floats = [1, 2]
        #expect(try constant(floats) == Tensor([1, 2] as [Float], shape: [2]))
        #expect(
            try constant(Models.tensor("value", Models.floats("", [2], [3, 4])))
                == Tensor([3, 4] as [Float], shape: [2]))
        #expect(throws: ONNXError.self) { try constant(Models.string("value_string", "text")) }
        #expect(throws: ONNXError.self) { try constant(Models.integer("value", 1)) }
        // A constant may be an output of the network, and is one of Martlet's outputs then.
        let network = try Models.read(
            Models.model([Models.node("Constant", [], ["y"], [Models.float("value_float", 2)])], inputs: []))
        #expect(try Executor(network: network).run([:])["y"] == Tensor([2 as Float], shape: []))
    }

    @Test func optionalInputsLeftOut() throws {
        let tensors = [Models.floats("high", [], [0.5]), Models.floats("w", [2, 2, 1, 1], [1, 0, 0, 1])]
        let network = try Models.read(
            Models.model(
                [Models.node("Conv", ["x", "w", ""], ["c"]), Models.node("Clip", ["c", "", "high"], ["y"])], tensors))
        #expect(network.nodes[0].inputs == ["x", "w"])
        #expect(network.nodes[1].inputs == ["c", nil, "high"])
        for inputs in [["", "w"], ["x", ""], ["x"], [], ["x", "w", "high", "x"]] {
            #expect(throws: ONNXError.self, "\(inputs)") {
                try Models.read(Models.model([Models.node("Conv", inputs, ["y"])], tensors))
            }
        }
        #expect(throws: ONNXError.self) { try Models.read(Models.model([Models.node("Relu", ["x"], [""])])) }
        #expect(throws: ONNXError.self) { try Models.read(Models.model([Models.node("Relu", ["x"], [])])) }
    }

    /// Attributes that cannot be are refused by name when the file is read or the network is looked through.
    @Test func attributesThatMakeNoSense() throws {
        let w = Models.floats("w", [2, 2, 1, 1], [1, 0, 0, 1])
        func refuses(_ node: NodeProto, _ tensors: [TensorProto] = []) {
            do {
                _ = try Models.read(Models.model([node], tensors + [w])).folded()
                Issue.record("\(node.opType) \(node.attribute) was taken")
            } catch let error as ONNXError {
                #expect(!error.description.isEmpty)
            } catch let error as NetworkError {
                #expect(!error.description.isEmpty)
            } catch {
                Issue.record("\(error)")
            }
        }
        let convolution = { (attributes: [AttributeProto]) in Models.node("Conv", ["x", "w"], ["y"], attributes) }
        refuses(convolution([Models.integer("group", 0)]))
        refuses(convolution([Models.integer("group", -1)]))
        refuses(convolution([Models.integer("group", 3)]))
        refuses(convolution([Models.integers("kernel_shape", [])]))
        refuses(convolution([Models.integers("kernel_shape", [1])]))
        refuses(convolution([Models.integers("kernel_shape", [0, 0])]))
        refuses(convolution([Models.integers("kernel_shape", [3, 3])]))
        refuses(convolution([Models.integers("strides", [0, 1])]))
        refuses(convolution([Models.integers("strides", [1])]))
        refuses(convolution([Models.integers("dilations", [1, -1])]))
        refuses(convolution([Models.integers("pads", [1, 1])]))
        refuses(convolution([Models.integers("pads", [-1, 0, 0, 0])]))
        refuses(convolution([Models.string("auto_pad", "SAME")]))
        refuses(convolution([Models.string("group", "1")]))
        refuses(convolution([Models.integer("group", 1), Models.integer("group", 1)]))
        refuses(Models.node("Transpose", ["x"], ["y"], [Models.integers("perm", [0, 1])]))
        refuses(Models.node("Transpose", ["x"], ["y"], [Models.integers("perm", [0, 1, 1, 2])]))
        refuses(Models.node("Transpose", ["x"], ["y"], [Models.integers("perm", [0, 1, 2, 4])]))
        refuses(Models.node("Flatten", ["x"], ["y"], [Models.integer("axis", 5)]))
        refuses(Models.node("Flatten", ["x"], ["y"], [Models.integer("axis", .min)]))
        refuses(Models.node("Softmax", ["x"], ["y"], [Models.integer("axis", 4)]))
        refuses(Models.node("Concat", ["x", "w"], ["y"], [Models.integer("axis", 0)]))
        refuses(Models.node("LRN", ["x"], ["y"], [Models.integer("size", 0)]))
        refuses(Models.node("LRN", ["x"], ["y"], [Models.integer("size", .max)]))
        refuses(Models.node("MaxPool", ["x"], ["y"]))
        refuses(Models.node("MaxPool", ["x"], ["y"], [Models.integers("kernel_shape", [9, 9])]))
        refuses(Models.node("Cast", ["x"], ["y"], [Models.integer("to", .max)]))
        refuses(
            Models.node("Gather", ["x", "i"], ["y"], [Models.integer("axis", 4)]), [Models.integerTensor("i", [0])])
        for (shape, allowsZero) in [
            ([-1, -1], 0), ([-2, 16], 0), ([5, -1], 0), ([7], 0), ([0, -1], 1), ([1, 2, 4, 4, 0], 0),
            ([.min], 0), ([.max, .max], 0), ([.max], 0),
        ] as [([Int64], Int64)] {
            refuses(
                Models.node("Reshape", ["x", "s"], ["y"], [Models.integer("allowzero", allowsZero)]),
                [Models.integerTensor("s", shape)])
        }
        for sizes in [[-1, 3], [3, 3], [1, 1, 1, 1], [.max, .max], []] as [[Int64]] {
            refuses(
                Models.node("Split", ["x", "s"], ["y", "z"], [Models.integer("axis", 2)]),
                [Models.integerTensor("s", sizes)])
        }
        for axes in [[0], [9], [1, 1], [.min]] as [[Int64]] {
            refuses(Models.node("Squeeze", ["x", "a"], ["y"]), [Models.integerTensor("a", axes + [1])])
        }
        for axes in [[7], [0, 0], [-9]] as [[Int64]] {
            refuses(Models.node("Unsqueeze", ["x", "a"], ["y"]), [Models.integerTensor("a", axes)])
        }
        for pads in [[0, 0, 0, 0, 0, 0, 0, -5], [1], [0, 0, 0, .max, 0, 0, 0, .max], [0, 0, 0, 0, 0, 0, 0, .min]]
            as [[Int64]]
        {
            refuses(Models.node("Pad", ["x", "p"], ["y"]), [Models.integerTensor("p", pads)])
        }
        for extents in [[-1], [3], [1 << 62]] as [[Int64]] {
            refuses(Models.node("Expand", ["x", "s"], ["y"]), [Models.integerTensor("s", extents)])
        }
        refuses(
            Models.node("Slice", ["x", "a", "b"], ["y"]),
            [Models.integerTensor("a", [0, 0]), Models.integerTensor("b", [1])])
        refuses(
            Models.node("Slice", ["x", "z", "b", "z", "z"], ["y"]),
            [Models.integerTensor("z", [0]), Models.integerTensor("b", [1])])
        refuses(Models.node("ConstantOfShape", ["s"], ["y"]), [Models.integerTensor("s", [-1])])
        refuses(
            Models.node("ConstantOfShape", ["s"], ["y"], [Models.tensor("value", Models.floats("", [2], [1, 2]))]),
            [Models.integerTensor("s", [1])])
    }
}
