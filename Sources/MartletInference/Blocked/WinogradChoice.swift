import MartletNetworks

/// Whether a convolution is computed by Winograd's minimal filtering, and with which tile.
///
/// Only 3x3 windows of stride and dilation 1 are. Tiles of 4x4 outputs save most multiplications (2.25 instead of 9 a
/// pixel and channel pair) but their weights are four times those of the kernel: where maps are small and channels many,
/// reading them costs more than the arithmetic saved, and tiles of 2x2 or the direct form win.
struct WinogradChoice: Equatable {
    /// Outputs on the side of a tile: 4 or 2.
    let tile: Int

    /// The choice for a convolution from `input` to `output` (`[N, C, H, W]`), `nil` for the direct form.
    init?(_ convolution: Convolution, input: [Int], output: [Int], lanes: Int) {
        let window = convolution.window
        guard convolution.groups == 1, window.kernel == [3, 3], window.strides == [1, 1], window.dilations == [1, 1],
            min(input[1], output[1]) >= 2 * lanes || min(input[1], output[1]) >= 32
        else { return nil }
        let (height, width) = (output[2], output[3])
        if min(height, width) >= 12 {
            tile = 4
        } else if min(height, width) >= 4 {
            tile = 2
        } else {
            return nil
        }
    }
}
