/// A data set with several views of each image, as networks are trained on them: the image, and parts of it brought back to
/// its size, every other view mirrored.
///
/// A second moment from few images trusts what it happens to have seen; views cost nothing but time. They make sense where
/// a mirrored image is still one that the network might meet: photographs, not digits.
public struct AugmentedImages: DataSet {
    private let base: any DataSet
    private let views: Int

    /// The side of a part, relative to the image's.
    static let scale = 0.8

    /// `views` views of each image of `base`, all first views first: the image itself, it mirrored, then parts of it.
    public init(_ base: any DataSet, views: Int) {
        self.base = base
        self.views = max(1, views)
    }

    public var path: String { base.path }
    public var count: Int { base.count * views }
    public var labelSource: LabelSource { base.labelSource }
    public var classNames: [String]? { base.classNames }
    public var description: String { views == 1 ? "\(base)" : "\(base), \(views) views of each" }

    public func sample(at index: Int) throws -> Sample {
        let (view, source) = index.quotientAndRemainder(dividingBy: base.count)
        let sample = try base.sample(at: source)
        var image = sample.image
        if view >= 2 {
            let (width, height) = (image.width, image.height)
            let part = (
                width: max(1, Int(Double(width) * Self.scale)), height: max(1, Int(Double(height) * Self.scale))
            )
            // Steps of the golden ratio and of the square root of two cover the places evenly.
            let place = Double(source * views + view)
            func offset(_ room: Int, _ step: Double) -> Int {
                Int((place * step).truncatingRemainder(dividingBy: 1) * Double(room + 1))
            }
            image = try image.part(
                x: offset(width - part.width, 0.618_033_988_749_895),
                y: offset(height - part.height, 0.414_213_562_373),
                width: part.width, height: part.height
            ).resized(width: width, height: height, filter: .bilinear)
        }
        if view % 2 == 1 { image = image.mirrored }
        return Sample(image: image, label: sample.label, name: name(at: index))
    }

    public func label(at index: Int) -> Int? { base.label(at: index % base.count) }
    public func name(at index: Int) -> String {
        let (view, source) = index.quotientAndRemainder(dividingBy: base.count)
        return view == 0 ? base.name(at: source) : "\(base.name(at: source)), view \(view + 1)"
    }
    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        try base.withStoredBytes(at: index % base.count, body)
    }
}

extension Image {
    /// Left and right exchanged.
    var mirrored: Image {
        var result = pixels
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    result[(row * width + column) * channels + channel] =
                        pixels[(row * width + width - 1 - column) * channels + channel]
                }
            }
        }
        return Image(unchecked: result, width: width, height: height, channels: channels)
    }

    /// The pixels of a rectangle that lies inside.
    func part(x: Int, y: Int, width: Int, height: Int) -> Image {
        var result: [UInt8] = []
        result.reserveCapacity(width * height * channels)
        for row in y..<y + height {
            let start = (row * self.width + x) * channels
            result += pixels[start..<start + width * channels]
        }
        return Image(unchecked: result, width: width, height: height, channels: channels)
    }
}
