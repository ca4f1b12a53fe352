import MartletNetworks

extension WinogradTile {
    /// The tile with which to compute a convolution from `input` to `output` (`[N, C, H, W]`), `nil` for the direct form.
    ///
    /// Only 3x3 windows of stride and dilation 1 are. Tiles of 4x4 outputs save most multiplications (2.25 instead of 9 a
    /// pixel and channel pair) but their weights are four times those of the kernel: where maps are small and channels
    /// many, reading them costs more than the arithmetic saved, and tiles of 2x2 win. With few channels the transforms
    /// cost more than the products they save.
    static func choice(for convolution: Convolution, input: [Int], output: [Int]) -> WinogradTile? {
        let window = convolution.window
        guard convolution.groups == 1, window.kernel == [3, 3], window.strides == [1, 1], window.dilations == [1, 1],
            min(input[1], output[1]) >= 32
        else { return nil }
        let shorter = min(output[2], output[3])
        return shorter >= 12 ? .four : shorter >= 4 ? .two : nil
    }
}
