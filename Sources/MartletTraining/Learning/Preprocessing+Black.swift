import MartletImages

extension Preprocessing {
    /// What a network sees where an image is black, by channel.
    var black: [Float] {
        (0..<channels.count).map { channel in
            let mean = self.mean.count == 1 ? self.mean[0] : self.mean[channel]
            let deviation = standardDeviation.count == 1 ? standardDeviation[0] : standardDeviation[channel]
            return Float(-mean / deviation)
        }
    }
}
