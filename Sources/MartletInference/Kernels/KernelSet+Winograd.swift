// The Winograd kernels by tile, with their argument labels: function values have none.

extension KernelSet {
    /// `winogradInput4` or `winogradInput2` of the kernels.
    @inline(__always) func winogradInput(
        _ tile: WinogradTile, input: UnsafePointer<Float>, inputRowStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, output: UnsafeMutablePointer<Float>, positionStep: Int
    ) {
        let transform = tile == .four ? winogradInput4 : winogradInput2
        transform(input, inputRowStep, tilesPerRow, firstTile, tileCount, output, positionStep)
    }

    /// `winogradOutput4` or `winogradOutput2` of the kernels.
    @inline(__always) func winogradOutput(
        _ tile: WinogradTile, products: UnsafePointer<Float>, positionStep: Int, tilesPerRow: Int, firstTile: Int,
        tileCount: Int, bias: UnsafePointer<Float>, residual: UnsafePointer<Float>?, residualRowStep: Int,
        output: UnsafeMutablePointer<Float>, outputRowStep: Int, outputRows: Int, outputColumns: Int, minimum: Float,
        maximum: Float
    ) {
        let transform = tile == .four ? winogradOutput4 : winogradOutput2
        transform(
            products, positionStep, tilesPerRow, firstTile, tileCount, bias, residual, residualRowStep, output,
            outputRowStep, outputRows, outputColumns, minimum, maximum)
    }
}
