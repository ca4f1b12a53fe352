import Foundation
import MartletTensors
import MartletTestSupport
import Testing

@testable import MartletImages

@Suite struct PreprocessingTests {
    @Test func presetsAreWhatNumPyComputes() throws {
        let (index, _) = try Goldens.load()
        #expect(Set(index.preprocessing.map(\.preset)) == Set(Preprocessing.presetNames))
        for golden in index.preprocessing {
            let preset = try Preprocessing.preset(golden.preset)
            let image = try pattern(golden.source[0], golden.source[1], golden.source[2])
            #expect(hash(try preset.geometry(of: image).pixels) == golden.digest, "\(golden.preset) \(golden.source)")
            #expect(try preset.outputShape(width: image.width, height: image.height).extents == golden.shape)
            if let fixed = preset.fixedOutputShape { #expect(fixed.extents == golden.shape) }
            let result = try preset.apply(to: image)
            #expect(result.count == golden.shape.reduce(1, *))
            for (place, value) in zip(golden.places, golden.values) {
                #expect(result[place] == Float(value), "\(golden.preset) at \(place)")
            }
            var written = [Float](repeating: .nan, count: result.count)
            let shape = try written.withUnsafeMutableBufferPointer { try preset.apply(to: image, writingTo: $0) }
            #expect(shape.extents == golden.shape)
            #expect(written == result)
        }
    }

    @Test func aBufferOfAnotherSizeIsRefused() throws {
        var buffer = [Float](repeating: 0, count: 5)
        #expect(throws: TensorError.elementCountMismatch(shape: [3, 1, 2], count: 5)) {
            _ = try buffer.withUnsafeMutableBufferPointer {
                try Preprocessing.preset("unit").apply(to: pattern(2, 1, 3), writingTo: $0)
            }
        }
    }

    @Test func channelsAndTheirOrder() throws {
        let image = try Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
        let rgb = try Preprocessing(scale: 1, mean: [1, 2, 3])
        #expect(try rgb.apply(to: image) == [0, 3, 0, 3, 0, 3])
        let bgr = try Preprocessing(scale: 2, mean: [1, 2, 3], standardDeviation: [1, 2, 4], channels: .bgr)
        #expect(try bgr.apply(to: image) == [5, 11, 1, 4, -0.25, 1.25])
        let grey = try Preprocessing(scale: 1, channels: .grey)
        // 0.299 + 2 * 0.587 + 3 * 0.114 = 1.8, 4.8
        #expect(try grey.apply(to: image) == [2, 5])
        #expect(try rgb.apply(to: Image(width: 1, height: 1, channels: 1, pixels: [9])) == [8, 7, 6])
    }

    @Test func refusesValues() throws {
        #expect(throws: PreprocessingError.self) { try Preprocessing(resize: .shorterSide(0), scale: 1) }
        #expect(throws: PreprocessingError.self) { try Preprocessing(resize: .exact(width: 1, height: -3), scale: 1) }
        #expect(throws: PreprocessingError.self) {
            try Preprocessing(crop: .init(width: 1 << 17, height: 1), scale: 1)
        }
        #expect(throws: PreprocessingError.invalid(field: "scale", reason: "is 0.0")) { try Preprocessing(scale: 0) }
        #expect(throws: PreprocessingError.self) { try Preprocessing(scale: .nan) }
        #expect(throws: PreprocessingError.self) { try Preprocessing(scale: 1, mean: [.infinity]) }
        #expect(throws: PreprocessingError.invalid(field: "std", reason: "has the value 0.0")) {
            try Preprocessing(scale: 1, standardDeviation: [1, 0, 1])
        }
        #expect(throws: PreprocessingError.channelCountMismatch(field: "mean", values: 2, channels: 3)) {
            try Preprocessing(scale: 1, mean: [1, 2])
        }
        #expect(throws: PreprocessingError.channelCountMismatch(field: "mean", values: 3, channels: 1)) {
            try Preprocessing(scale: 1, mean: [1, 2, 3], channels: .grey)
        }
    }

    @Test func theNetworksInputIsChecked() throws {
        let shape = try Shape([3, 224, 224])
        try Preprocessing.check(shape, against: [3, 224, 224])
        try Preprocessing.check(shape, against: [3, nil, nil])
        for (expected, advice) in [
            ([3, 299, 299], "--crop 299"), ([1, 224, 224], "--channels grey"), ([3, 32, 64], "--resize 64x32"),
        ] as [([Int?], String)] {
            do {
                try Preprocessing.check(shape, against: expected, image: "a.png")
                Issue.record("\(expected) was accepted")
            } catch {
                #expect(error == .inputMismatch(image: "a.png", output: [3, 224, 224], expected: expected))
                #expect(error.remedy?.contains(advice) == true, "\(error.remedy ?? "")")
            }
        }
        #expect(throws: PreprocessingError.self) { try Preprocessing.check(shape, against: [1000]) }
    }

    @Test func oneLineForPeople() throws {
        #expect(
            try Preprocessing.preset("imagenet").description
                == "resize shorter side to 256 bilinear, crop 224x224, rgb, times 1/255, mean 0.485 0.456 0.406, "
                + "std 0.229 0.224 0.225")
        #expect(
            try Preprocessing.preset("caffe-crop").description == "crop 224x224, bgr, mean 104.0 117.0 123.0")
        #expect(try Preprocessing.preset("bytes").description == "rgb")
    }
}

@Suite struct PreprocessingChoiceTests {
    @Test func withoutAChoiceThereIsNoGuess() throws {
        #expect(throws: PreprocessingError.notChosen(network: "net.onnx")) {
            try PreprocessingOptions().resolve(metadata: nil, network: "net.onnx")
        }
        let remedy = PreprocessingError.notChosen(network: "net.onnx").remedy ?? ""
        for word in ["--preset", "imagenet", "--preprocessing", "--resize", "--mean", "--channels"] {
            #expect(remedy.contains(word))
        }
        // What lies beside the network is named, not taken.
        let folder = try TemporaryFolder()
        let network = folder.path + "/net.onnx"
        for name in ["preprocessor_config.json", "net.preprocessor_config.json"] {
            let file = try folder.write("{}", name)
            let expected = PreprocessingError.notChosen(network: network, beside: file)
            #expect(throws: expected) { try PreprocessingOptions().resolve(metadata: nil, network: network) }
            #expect(expected.remedy?.contains("--preprocessing \(file)") == true)
        }
        var options = PreprocessingOptions()
        options.crop = .center(.init(width: 3, height: 3))
        #expect(throws: PreprocessingError.scaleNotChosen) { try options.resolve(metadata: nil, network: "net") }
        options.scale = 1
        #expect(
            try options.resolve(metadata: nil, network: "net")
                == Preprocessing(crop: .init(width: 3, height: 3), scale: 1))
    }

    @Test func precedence() throws {
        let folder = try TemporaryFolder()
        let caffe = try Preprocessing.preset("caffe")
        var options = PreprocessingOptions()
        #expect(try options.resolve(metadata: caffe.json, network: "net") == caffe)
        options.preset = "mnist"
        #expect(try options.resolve(metadata: caffe.json, network: "net") == Preprocessing.preset("mnist"))
        options.preset = nil
        options.file = try folder.write(Preprocessing.preset("vit").json, "vit.json")
        #expect(try options.resolve(metadata: caffe.json, network: "net") == Preprocessing.preset("vit"))
        options.preset = "mnist"
        #expect(throws: PreprocessingError.presetAndFile(preset: "mnist", file: folder.path + "/vit.json")) {
            try options.resolve(metadata: nil, network: "net")
        }
        options.file = nil
        options.preset = "imagnet"
        #expect(throws: PreprocessingError.unknownPreset("imagnet")) {
            try options.resolve(metadata: nil, network: "net")
        }
        #expect(throws: PreprocessingError.self) {
            try PreprocessingOptions().resolve(metadata: "{", network: "net")
        }
    }

    @Test func flagsOverrideSingleValues() throws {
        var options = PreprocessingOptions()
        options.preset = "imagenet"
        options.crop = Preprocessing.Crop.none
        options.resize = Preprocessing.Resize.none
        #expect(try options.resolve(metadata: nil, network: "net") == Preprocessing.preset("imagenet-pixels"))
        options.interpolation = .lanczos
        options.mean = [0.5]
        let result = try options.resolve(metadata: nil, network: "net")
        #expect(result.interpolation == .lanczos)
        #expect(result.mean == [0.5])
        #expect(result.standardDeviation == [0.229, 0.224, 0.225])
    }

    @Test func meansFollowTheirColours() throws {
        var options = PreprocessingOptions()
        options.preset = "imagenet"
        options.channels = .bgr
        let image = try pattern(300, 280, 3)
        let bgr = try options.resolve(metadata: nil, network: "net")
        #expect(bgr.mean == [0.406, 0.456, 0.485])
        let plane = 224 * 224
        let rgbValues = try Preprocessing.preset("imagenet").apply(to: image)
        #expect(try bgr.apply(to: image)[..<plane] == rgbValues[(2 * plane)...])
        options.channels = .grey
        #expect(throws: PreprocessingError.channelCountMismatch(field: "mean", values: 3, channels: 1)) {
            try options.resolve(metadata: nil, network: "net")
        }
    }

    @Test func valuesOfFlags() throws {
        #expect(try Preprocessing.Resize(parsing: "256") == .shorterSide(256))
        #expect(try Preprocessing.Resize(parsing: "320x240") == .exact(width: 320, height: 240))
        #expect(try Preprocessing.Resize(parsing: "none") == Preprocessing.Resize.none)
        #expect(try Preprocessing.Crop(parsing: "224").size == .init(width: 224, height: 224))
        #expect(try Preprocessing.Crop(parsing: "5x6").size == .init(width: 5, height: 6))
        #expect(try Preprocessing.Crop(parsing: "none").size == nil)
        #expect(try Preprocessing.numbers(parsing: "0.485,0.456,.406", option: "--mean") == [0.485, 0.456, 0.406])
        #expect(try Preprocessing.numbers(parsing: "104 117 123", option: "--mean") == [104, 117, 123])
        #expect(try Preprocessing.number(parsing: "1/255", option: "--scale") == 1.0 / 255)
        #expect(try Interpolation(parsing: "bicubic") == .bicubic)
        #expect(try ChannelOrder(parsing: "gray") == .grey)
        for text in ["", "x", "3x", "1x2x3", "-", "256.5", "big"] {
            #expect(throws: PreprocessingError.self) { try Preprocessing.Resize(parsing: text) }
            #expect(throws: PreprocessingError.self) { try Preprocessing.Crop(parsing: text) }
        }
        for text in ["", "a", "1,2,3,4", "1,,b", "1/0", "nan", "1/2/3"] {
            #expect(throws: PreprocessingError.self) { try Preprocessing.numbers(parsing: text, option: "--mean") }
        }
        #expect(throws: PreprocessingError.self) { try Interpolation(parsing: "cubic") }
        #expect(throws: PreprocessingError.self) { try ChannelOrder(parsing: "RGB ") }
    }
}
