import ArgumentParser
import Martlet

/// Which part of the images to take.
struct ShardOption: ParsableArguments {
    @Option(help: ArgumentHelp("Use part K of N of the images, for `merge` to add up later.", valueName: "k/n"))
    var shard: String?

    func validate() throws { _ = try part() }

    /// The part as the library takes it.
    func part() throws -> (index: Int, count: Int)? {
        guard let shard else { return nil }
        let numbers = shard.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let index = numbers[0], let count = numbers[1], (1...max(1, count)).contains(index)
        else { throw ValidationError("--shard wants K/N with K from 1 to N, for instance 3/16") }
        return (index, count)
    }
}

/// How Sigma is gathered.
struct GatheringFlags: ParsableArguments {
    @OptionGroup var part: ShardOption

    @Option(
        help: ArgumentHelp(
            "Memory to take at most, for instance 2GiB; if all layers need more, the images are gone over several times.",
            valueName: "size"))
    var memory: String?

    @Option(
        help: ArgumentHelp(
            "Take images at random and stop when Sigma of one half differs from that of the other by less, in every layer.",
            valueName: "percent"))
    var until: String?

    @Flag(help: "Go on from the checkpoint of an interrupted run, if there is one.")
    var resume = false

    @Option(help: ArgumentHelp("Seconds between checkpoints.", valueName: "s")) var checkpointInterval = 180.0

    func validate() throws {
        if part.shard != nil, until != nil {
            throw ValidationError("--until wants all images: it does not go with --shard")
        }
        if !(checkpointInterval >= 0 && checkpointInterval < 1e9) {
            throw ValidationError("--checkpoint-interval wants seconds")
        }
        _ = try options()
    }

    /// The flags as the library takes them.
    func options() throws -> GatheringOptions {
        var options = GatheringOptions()
        options.resumes = resume
        options.checkpointInterval = checkpointInterval
        options.memory = try memory.map(GatheringFlags.bytes)
        options.shard = try part.part()
        if let until {
            let isPercent = until.hasSuffix("%")
            guard let number = Double(isPercent ? String(until.dropLast()) : until), number > 0, number.isFinite else {
                throw ValidationError("--until wants a share, for instance 1% or 0.01")
            }
            options.until = isPercent ? number / 100 : number
        }
        return options
    }

    private static func bytes(_ text: String) throws -> Int {
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("K", 10), ("M", 20), ("G", 30), ("B", 0), ("", 0)]
        for (unit, shift) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number > 0, number < 1e9 else { break }
            return Int(min(number * Double(1 << shift), 1e18))
        }
        throw ValidationError("--memory wants a size, for instance 2GiB or 700MiB")
    }
}

/// Which images stand in for the network's own.
struct ProxyOptions: ParsableArguments {
    enum Sample: String, CaseIterable, ExpressibleByArgument {
        case spread, first, random, byClass = "class"
    }

    @Option(
        help: ArgumentHelp(
            "How --limit chooses: spread evenly, first, random, or class (as many of each).", valueName: "way"))
    var sample: Sample?

    @Option(help: ArgumentHelp("Seed of whatever is random.", valueName: "n")) var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Bring the images to this size before anything else: N (its shorter side, then the middle square) or WxH.",
            valueName: "size"))
    var proxyResize: String?

    @Option(help: ArgumentHelp("Filter of --proxy-resize; bilinear unless told.", valueName: "filter"))
    var proxyInterpolation: String?

    @Option(
        help: ArgumentHelp(
            "See each image n times: itself, mirrored, then parts of it. Not for images that mirroring makes others.",
            valueName: "n"))
    var views = 1

    /// The data set at `path`.
    func open(_ path: String, _ options: DataOptions) throws -> any DataSet {
        var data: any DataSet
        if let sample {
            guard let limit = options.limit else { throw ValidationError("--sample wants --limit") }
            let choice: Subset.Choice =
                switch sample {
                case .spread: .spread
                case .first: .first
                case .random: .random(seed: seed)
                case .byClass: .byClass(seed: seed)
                }
            data = try Subset(try DataSets.open(path, labels: options.labels), limit: limit, choice: choice)
        } else {
            data = try options.open(path)
        }
        if let proxyResize {
            data = ResizedImages(
                data, to: try Preprocessing.Resize(parsing: proxyResize),
                interpolation: try proxyInterpolation.map { try Interpolation(parsing: $0) } ?? .bilinear)
        }
        return views > 1 ? AugmentedImages(data, views: views) : data
    }

    func validate() throws {
        if !(1...1000).contains(views) { throw ValidationError("--views wants 1 to 1000") }
    }
}
