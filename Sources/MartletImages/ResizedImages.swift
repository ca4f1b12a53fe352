/// A data set whose images are made smaller (or larger) before anything else happens to them: proxy images brought to the
/// resolution that the network's own images have.
public struct ResizedImages: DataSet {
    private let base: any DataSet
    private let resize: Preprocessing.Resize
    private let interpolation: Interpolation

    /// The images of `base`, resized.
    ///
    /// With ``Preprocessing/Resize/shorterSide(_:)`` the middle square of that side is kept, so that all images have one
    /// size.
    public init(_ base: any DataSet, to resize: Preprocessing.Resize, interpolation: Interpolation) {
        self.base = base
        self.resize = resize
        self.interpolation = interpolation
    }

    public var path: String { base.path }
    public var count: Int { base.count }
    public var labelSource: LabelSource { base.labelSource }
    public var classNames: [String]? { base.classNames }
    public var description: String {
        switch resize {
        case .none: "\(base)"
        case .shorterSide(let side): "\(base), resized to \(side)x\(side) \(interpolation)"
        case .exact(let width, let height): "\(base), resized to \(width)x\(height) \(interpolation)"
        }
    }

    public func sample(at index: Int) throws -> Sample {
        let sample = try base.sample(at: index)
        let image =
            switch resize {
            case .none: sample.image
            case .shorterSide(let side):
                try sample.image.resized(shorterSide: side, filter: interpolation)
                    .centerCropped(width: side, height: side)
            case .exact(let width, let height):
                try sample.image.resized(width: width, height: height, filter: interpolation)
            }
        return Sample(image: image, label: sample.label, name: sample.name)
    }

    public func label(at index: Int) -> Int? { base.label(at: index) }
    public func name(at index: Int) -> String { base.name(at: index) }
    public func withStoredBytes(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        try base.withStoredBytes(at: index, body)
    }
}
