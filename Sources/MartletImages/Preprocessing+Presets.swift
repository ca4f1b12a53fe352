extension Preprocessing {
    /// The preset of this name.
    ///
    /// | name | what it is |
    /// |---|---|
    /// | `imagenet` | torchvision's and most others': shorter side 256, crop 224, 0..1, ImageNet mean and deviation |
    /// | `imagenet-crop` | the same for images resized already: crop 224 only |
    /// | `imagenet-pixels` | the same values, neither resize nor crop (the usual CIFAR networks of Idelbayev) |
    /// | `imagenet-bicubic` | `imagenet` resized with the bicubic filter (timm's usual) |
    /// | `caffe` | BVLC: shorter side 256, crop 224, BGR, 0..255 minus 104 117 123 |
    /// | `caffe-crop` | the same for images resized already |
    /// | `inception` | shorter side 342, crop 299, -1..1 (TensorFlow-slim) |
    /// | `clip` | shorter side 224 bicubic, crop 224, 0..1, the mean and deviation of CLIP's images |
    /// | `vit` | exactly 224x224, -1..1 (Google's ViT) |
    /// | `cifar10`, `cifar100` | 32x32, 0..1, mean and deviation of the training set |
    /// | `mnist`, `fashion-mnist` | 28x28 grey, 0..1, mean and deviation of the training set |
    /// | `unit` | 0..1, nothing else |
    /// | `signed` | -1..1, nothing else |
    /// | `bytes` | 0..255, nothing else |
    /// - Throws: ``PreprocessingError/unknownPreset(_:)``.
    public static func preset(_ name: String) throws(PreprocessingError) -> Preprocessing {
        guard let preset = presets.first(where: { $0.name == name }) else { throw .unknownPreset(name) }
        return preset.value
    }

    /// The names that ``preset(_:)`` knows.
    public static var presetNames: [String] { presets.map(\.name) }

    private static let imagenetMean = [0.485, 0.456, 0.406]
    private static let imagenetDeviation = [0.229, 0.224, 0.225]

    private static let presets: [(name: String, value: Preprocessing)] = [
        ("imagenet", imagenet(.shorterSide(256), crop: 224)),
        ("imagenet-crop", imagenet(.none, crop: 224)),
        ("imagenet-pixels", imagenet(.none, crop: nil)),
        ("imagenet-bicubic", imagenet(.shorterSide(256), .bicubic, crop: 224)),
        ("caffe", caffe(.shorterSide(256))),
        ("caffe-crop", caffe(.none)),
        ("inception", unit(.shorterSide(342), crop: 299, mean: [0.5], deviation: [0.5])),
        (
            "clip",
            unit(
                .shorterSide(224), .bicubic, crop: 224, mean: [0.48145466, 0.4578275, 0.40821073],
                deviation: [0.26862954, 0.26130258, 0.27577711])
        ),
        ("vit", unit(.exact(width: 224, height: 224), mean: [0.5], deviation: [0.5])),
        (
            "cifar10",
            unit(
                .exact(width: 32, height: 32), mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616])
        ),
        (
            "cifar100",
            unit(
                .exact(width: 32, height: 32), mean: [0.5071, 0.4867, 0.4408], deviation: [0.2675, 0.2565, 0.2761])
        ),
        ("mnist", unit(.exact(width: 28, height: 28), mean: [0.1307], deviation: [0.3081], .grey)),
        ("fashion-mnist", unit(.exact(width: 28, height: 28), mean: [0.2860], deviation: [0.3530], .grey)),
        ("unit", unit(.none)),
        ("signed", unit(.none, mean: [0.5], deviation: [0.5])),
        ("bytes", Preprocessing(unchecked: .none, scale: 1, mean: [0], standardDeviation: [1])),
    ]

    private static func imagenet(_ resize: Resize, _ filter: Interpolation = .bilinear, crop: Int?) -> Preprocessing {
        unit(resize, filter, crop: crop, mean: imagenetMean, deviation: imagenetDeviation)
    }

    private static func caffe(_ resize: Resize) -> Preprocessing {
        Preprocessing(
            unchecked: resize, crop: Size(width: 224, height: 224), scale: 1, mean: [104, 117, 123],
            standardDeviation: [1], .bgr)
    }

    private static func unit(
        _ resize: Resize, _ filter: Interpolation = .bilinear, crop: Int? = nil, mean: [Double] = [0],
        deviation: [Double] = [1], _ channels: ChannelOrder = .rgb
    ) -> Preprocessing {
        Preprocessing(
            unchecked: resize, filter, crop: crop.map { Size(width: $0, height: $0) }, scale: 1.0 / 255, mean: mean,
            standardDeviation: deviation, channels)
    }
}
