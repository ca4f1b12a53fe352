/// What a person said about the preprocessing, each part optional: a preset or a file, and single values that override
/// it. ``resolve(metadata:network:)`` makes one preprocessing of it, or an error that says how to choose.
public struct PreprocessingOptions: Hashable, Sendable {
    /// `--preset`: a name of ``Preprocessing/presetNames``.
    public var preset: String?
    /// `--preprocessing`: the path of a JSON file.
    public var file: String?
    /// `--resize`
    public var resize: Preprocessing.Resize?
    /// `--interpolation`
    public var interpolation: Interpolation?
    /// `--crop`; ``Preprocessing/Crop/none`` takes away the base's crop.
    public var crop: Preprocessing.Crop?
    /// `--scale`
    public var scale: Double?
    /// `--mean`
    public var mean: [Double]?
    /// `--std`
    public var standardDeviation: [Double]?
    /// `--channels`
    public var channels: ChannelOrder?

    /// Nothing said.
    public init() {}

    /// The preprocessing to use. The base is the preset or the file; without either, what the network carries; without
    /// that, the flags alone, which must then give a scale (nothing else tells 0..1 from 0..255). Flags override single
    /// values of the base. If they turn RGB into BGR or back, the base's mean and deviation follow their colours.
    /// - Parameters:
    ///   - metadata: the JSON that the network's file carries, if any.
    ///   - network: what errors call the network. If it is the path of a file, they name a description that lies beside it.
    /// - Throws: ``PreprocessingError``, `FileError`.
    public func resolve(metadata: String?, network: String) throws -> Preprocessing {
        if let preset, let file { throw PreprocessingError.presetAndFile(preset: preset, file: file) }
        var base: Preprocessing?
        if let preset {
            base = try Preprocessing.preset(preset)
        } else if let file {
            base = try Preprocessing(contentsOf: file)
        } else if let metadata {
            base = try Preprocessing(json: metadata, source: "\(network)'s metadata")
        }
        if let base { return try overriding(base) }
        guard hasOverrides else {
            throw PreprocessingError.notChosen(network: network, beside: Preprocessing.file(beside: network))
        }
        guard let scale else { throw PreprocessingError.scaleNotChosen }
        return try overriding(
            Preprocessing(unchecked: .none, scale: scale, mean: [0], standardDeviation: [1], channels ?? .rgb))
    }

    private var hasOverrides: Bool {
        var bare = self
        bare.preset = nil
        bare.file = nil
        return bare != PreprocessingOptions()
    }

    private func overriding(_ base: Preprocessing) throws(PreprocessingError) -> Preprocessing {
        let channels = channels ?? base.channels
        let isReversed = channels != base.channels && channels.count == base.channels.count
        func follow(_ values: [Double]) -> [Double] { isReversed ? values.reversed() : values }
        return try Preprocessing(
            resize: resize ?? base.resize,
            interpolation: interpolation ?? base.interpolation,
            crop: crop.map(\.size) ?? base.crop,
            scale: scale ?? base.scale,
            mean: mean ?? follow(base.mean),
            standardDeviation: standardDeviation ?? follow(base.standardDeviation),
            channels: channels)
    }
}
