import MartletTensors

extension Preprocessing {
    /// The shape `[C, H, W]` that an image of this size comes out in.
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``.
    public func outputShape(width: Int, height: Int) throws -> Shape {
        if let crop { return try Shape([channels.count, crop.height, crop.width]) }
        let size = try resizedSize(width: width, height: height)
        return try Shape([channels.count, size.height, size.width])
    }

    /// The shape `[C, H, W]` that every image comes out in, or `nil` if that depends on the image.
    public var fixedOutputShape: Shape? {
        if let crop { return try? Shape([channels.count, crop.height, crop.width]) }
        if case .exact(let width, let height) = resize { return try? Shape([channels.count, height, width]) }
        return nil
    }

    /// Checks that a prepared image of shape `output` (`[C, H, W]`) is what the network takes.
    /// - Parameters:
    ///   - expected: the network's `[C, H, W]`; `nil` for an extent that is free.
    ///   - image: what errors call the image.
    /// - Throws: ``PreprocessingError/inputMismatch(image:output:expected:)``.
    public static func check(
        _ output: Shape, against expected: [Int?], image: String = "the image"
    ) throws(PreprocessingError) {
        let fits =
            expected.count == output.rank
            && zip(expected, output.extents).allSatisfy { wanted, found in wanted.map { $0 == found } ?? true }
        if !fits { throw .inputMismatch(image: image, output: output.extents, expected: expected) }
    }

    /// The prepared image, `[C, H, W]` row-major.
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``.
    public func apply(to image: Image) throws -> [Float] {
        let prepared = try geometry(of: image)
        let count = prepared.width * prepared.height * prepared.channels
        return [Float](unsafeUninitializedCapacity: count) { target, initialized in
            write(prepared, to: target)
            initialized = count
        }
    }

    /// Writes the prepared image, `[C, H, W]` row-major, to `target` and returns its shape.
    /// - Throws: ``ImageError/unsupportedTargetSize(width:height:)``, or
    ///   `TensorError.elementCountMismatch` if `target` is not exactly as large as the image comes out.
    @discardableResult
    public func apply(to image: Image, writingTo target: UnsafeMutableBufferPointer<Float>) throws -> Shape {
        let prepared = try geometry(of: image)
        let shape = try Shape([prepared.channels, prepared.height, prepared.width])
        guard target.count == shape.elementCount else {
            throw TensorError.elementCountMismatch(shape: shape.extents, count: target.count)
        }
        write(prepared, to: target)
        return shape
    }

    /// The image resized and cropped, still in bytes; red, green, blue or grey.
    func geometry(of image: Image) throws(ImageError) -> Image {
        let image = channels == .grey ? image.convertedToGrey() : image.convertedToRGB()
        var size = (width: image.width, height: image.height)
        switch resize {
        case .none: break
        case .shorterSide(let length): size = try image.size(shorterSide: length)
        case .exact(let width, let height): size = (width, height)
        }
        guard Image.isSupported(width: size.width, height: size.height) else {
            throw .unsupportedTargetSize(width: size.width, height: size.height)
        }
        guard let crop else {
            return try image.resized(width: size.width, height: size.height, filter: interpolation)
        }
        guard Image.isSupported(width: crop.width, height: crop.height) else {
            throw .unsupportedTargetSize(width: crop.width, height: crop.height)
        }
        let (columns, left) = Image.cropRange(of: size.width, to: crop.width)
        let (rows, top) = Image.cropRange(of: size.height, to: crop.height)
        return try image.resized(
            width: size.width, height: size.height, filter: interpolation,
            window: ImageWindow(columns: columns, rows: rows)
        ).padded(width: crop.width, height: crop.height, left: left, top: top)
    }

    private func resizedSize(width: Int, height: Int) throws(ImageError) -> (width: Int, height: Int) {
        switch resize {
        case .none: (width, height)
        case .shorterSide(let length): try Image.size(width: width, height: height, shorterSide: length)
        case .exact(let width, let height): (width, height)
        }
    }

    /// The number that a network sees for each of the 256 values of a channel, computed in double and rounded once.
    func table(forChannel channel: Int) -> [Float] {
        let mean = mean.count == 1 ? mean[0] : mean[channel]
        let deviation = standardDeviation.count == 1 ? standardDeviation[0] : standardDeviation[channel]
        return (0..<256).map { Float((Double($0) * scale - mean) / deviation) }
    }

    private func write(_ image: Image, to target: UnsafeMutableBufferPointer<Float>) {
        let count = image.width * image.height
        let channelCount = image.channels
        image.pixels.withUnsafeBufferPointer { pixels in
            guard let pixels = pixels.baseAddress, let target = target.baseAddress else { return }
            for channel in 0..<channelCount {
                let source = pixels + (channels == .bgr ? 2 - channel : channel)
                let plane = target + channel * count
                table(forChannel: channel).withUnsafeBufferPointer { table in
                    guard let table = table.baseAddress else { return }
                    for i in 0..<count {
                        (plane + i).initialize(to: table[Int(source[i &* channelCount])])
                    }
                }
            }
        }
    }
}
