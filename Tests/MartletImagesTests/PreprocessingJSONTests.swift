import Foundation
import Testing

@testable import MartletImages

@Suite struct PreprocessingJSONTests {
    @Test func presetsSurviveTheRoundTrip() throws {
        for name in Preprocessing.presetNames {
            let preset = try Preprocessing.preset(name)
            #expect(try Preprocessing(json: preset.json) == preset, "\(name)")
            let coded = try JSONDecoder().decode(Preprocessing.self, from: JSONEncoder().encode(preset))
            #expect(coded == preset)
        }
    }

    @Test func awkwardNumbersSurviveTheRoundTrip() throws {
        var random = generator(7)
        for _ in 0..<200 {
            let numbers = (0..<7).map { _ in
                Double.random(in: 0.1...1, using: &random) * pow(10, Double(Int.random(in: -30...30, using: &random)))
            }
            let value = try Preprocessing(
                resize: .exact(width: .random(in: 1...65536, using: &random), height: 7),
                interpolation: Interpolation.allCases.randomElement(using: &random) ?? .box,
                crop: Bool.random(using: &random) ? .init(width: 3, height: 65536) : nil, scale: numbers[0],
                mean: Array(numbers[1..<4]), standardDeviation: Array(numbers[4...]), channels: .bgr)
            #expect(try Preprocessing(json: value.json) == value)
        }
    }

    @Test func theTextItself() throws {
        #expect(
            try Preprocessing.preset("imagenet").json
                == #"{"channels":"rgb","crop":{"height":224,"width":224},"interpolation":"bilinear","#
                + #""martlet_preprocessing":1,"mean":[0.485,0.456,0.406],"resize":{"shorter_side":256},"#
                + #""scale":0.00392156862745098,"std":[0.229,0.224,0.225]}"#)
    }

    @Test func sharedHuggingFaceFiles() throws {
        guard let shared = sharedFolder() else { return }
        for (file, preset) in [
            ("resnet18-imagenet", "imagenet-crop"), ("googlenet-imagenet", "caffe-crop"),
            ("resnet20-cifar10", "imagenet-pixels"), ("resnet32-cifar10", "imagenet-pixels"),
        ] {
            let read = try Preprocessing(contentsOf: "\(shared)/models/\(file).preprocessor_config.json")
            let expected = try Preprocessing.preset(preset)
            #expect((0..<3).allSatisfy { read.table(forChannel: $0) == expected.table(forChannel: $0) }, "\(file)")
            #expect(read.resize == expected.resize)
            #expect(read.crop == expected.crop)
            #expect(read.channels == expected.channels)
        }
    }

    @Test func huggingFaceForms() throws {
        // ViT's of 2021: no do_rescale, a bare size.
        let vit = try Preprocessing(
            json: """
                {"do_normalize": true, "do_resize": true, "feature_extractor_type": "ViTFeatureExtractor",
                 "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": 224}
                """)
        #expect(vit.resize == .exact(width: 224, height: 224))
        #expect(vit.scale == 1.0 / 255)
        let clip = try Preprocessing(
            json: """
                {"crop_size": {"height": 224, "width": 200}, "do_center_crop": true, "do_convert_rgb": true,
                 "do_normalize": false, "image_mean": [1, 2], "do_rescale": true, "rescale_factor": 0.5,
                 "do_resize": true, "resample": 3, "size": {"shortest_edge": 224}, "do_pad": false, "pad_size": null,
                 "data_format": "channels_first"}
                """)
        #expect(
            try clip
                == Preprocessing(
                    resize: .shorterSide(224), interpolation: .bicubic, crop: .init(width: 200, height: 224),
                    scale: 0.5))
        let old = try Preprocessing(
            json: """
                {"do_resize": true, "size": 256, "default_to_square": false, "resample": 0, "do_center_crop": true,
                 "crop_size": 224, "do_rescale": false}
                """)
        #expect(old.resize == .shorterSide(256))
        #expect(old.interpolation == .nearest)
        #expect(old.crop == .init(width: 224, height: 224))
        #expect(old.scale == 1)
    }

    @Test(arguments: [
        ("crop_pct", #"{"do_rescale": true, "crop_pct": 0.875}"#),
        ("do_pad", #"{"do_rescale": true, "do_pad": true}"#),
        ("size", #"{"do_resize": true, "resample": 2}"#),
        ("size", #"{"do_resize": true, "resample": 2, "size": {"longest_edge": 3}}"#),
        ("size", #"{"do_resize": true, "resample": 2, "size": {"shortest_edge": 3, "longest_edge": 4}}"#),
        ("size", #"{"do_resize": true, "resample": 2, "size": {"shortest_edge": 3.5}}"#),
        ("size", #"{"do_resize": true, "resample": 2, "size": 224, "do_center_crop": true, "crop_size": 224}"#),
        ("resample", #"{"do_resize": true, "size": 224}"#),
        ("resample", #"{"do_resize": true, "size": 224, "resample": 6}"#),
        ("resample", #"{"do_resize": true, "size": 224, "resample": "bicubic"}"#),
        ("do_resize", #"{"do_rescale": true, "size": 224}"#),
        ("do_resize", #"{"do_resize": 1, "size": 224}"#),
        ("do_center_crop", #"{"do_rescale": true, "crop_size": 224}"#),
        ("crop_size", #"{"do_center_crop": true}"#),
        ("crop_size", #"{"do_center_crop": true, "crop_size": "all"}"#),
        ("do_normalize", #"{"do_rescale": true, "image_mean": [0, 0, 0]}"#),
        ("image_std", #"{"do_normalize": true, "image_mean": [0, 0, 0]}"#),
        ("image_mean", #"{"do_normalize": true, "image_mean": [0, "x", 0], "image_std": [1]}"#),
        ("data_format", #"{"do_rescale": true, "data_format": "channels_last"}"#),
        ("do_normalize", #"{"architectures": ["ResNet"]}"#),
        ("martlet_preprocessing", #"{"martlet_preprocessing": 2}"#),
        ("channels", #"{"martlet_preprocessing": 1, "scale": 1, "mean": 0, "std": 1}"#),
        ("scale", #"{"martlet_preprocessing": 1, "channels": "rgb", "mean": 0, "std": 1}"#),
        ("std", #"{"martlet_preprocessing": 1, "channels": "rgb", "mean": 0, "scale": 1}"#),
        ("crop", #"{"martlet_preprocessing": 1, "channels": "rgb", "crop": 3}"#),
        ("resize", #"{"martlet_preprocessing": 1, "channels": "rgb", "resize": {"longer_side": 3}}"#),
        (
            "interpolation",
            #"{"martlet_preprocessing": 1, "channels": "rgb", "resize": {"shorter_side": 3}, "scale": 1}"#
        ),
        ("gamma", #"{"martlet_preprocessing": 1, "channels": "rgb", "scale": 1, "mean": 0, "std": 1, "gamma": 2}"#),
    ])
    func theFieldIsNamed(_ field: String, _ json: String) {
        do {
            let read = try Preprocessing(json: json, source: "config.json")
            Issue.record("\(json) was read as \(read)")
        } catch {
            guard case .field(field, source: "config.json", reason: _) = error else {
                Issue.record("\(json): \(error)")
                return
            }
        }
    }

    @Test func whatIsNoObject() {
        for text in ["", "{", "[1]", "3", "null", #"{"a" 3}"#, "\u{0}", String(repeating: "[", count: 100_000)] {
            #expect(throws: PreprocessingError.self) { try Preprocessing(json: text) }
        }
        #expect(throws: PreprocessingError.self) {
            try Preprocessing(json: #"{"martlet_preprocessing":1,"channels":"rgb","scale":1e999,"mean":0,"std":1}"#)
        }
        #expect(throws: PreprocessingError.self) {
            try Preprocessing(json: #"{"do_center_crop": true, "crop_size": 1e30}"#)
        }
    }
}
