import MartletInference
import MartletKernelsBaseline

/// The gradient of a 3x3 convolution of stride 1 by its weight, by Winograd's minimal filtering, F(4x4, 3x3): 36 products for
/// 16 pixels instead of 144.
///
/// Tiles of the input and of the gradient by the result are transformed, their products summed over tiles and images
/// position by position, and the 36 sums of each pair of channels transformed to 9 taps. Sums run in the order of the tiles,
/// in pieces that the problem alone decides: the bits are the same for any number of threads. The error is some 1e-6
/// of the largest value.
struct WinogradWeightGradient {
    private let geometry: ConvolutionGeometry
    private let target: GradientTarget
    private let kernels: WinogradGradientKernels

    /// Pixels of a tile along one side, of the gradient and of the input.
    private static let (size, points) = (4, 6)
    private static let positions = points * points
    private let tileFloats: Int
    private let productFloats: Int

    /// The gradient; `nil` where it is of another kind, or the products as they are cost less.
    /// - Parameters:
    ///   - tileFloats: Floats of transformed tiles that are at hand at once: they should stay in the last-level cache.
    ///   - productFloats: Floats of their products that are.
    init?(
        _ geometry: ConvolutionGeometry, target: GradientTarget, kernels: WinogradGradientKernels,
        tileFloats: Int = 2 << 20, productFloats: Int = 1 << 20
    ) {
        let axes = [geometry.window.height, geometry.window.width]
        guard geometry.groups == 1, geometry.window.depth.input == 1, geometry.window.depth.kernel == 1,
            axes.allSatisfy({
                $0.kernel == 3 && $0.stride == 1 && $0.dilation == 1 && $0.before >= 0 && $0.after >= 0
            })
        else { return nil }
        self.geometry = geometry
        self.target = target
        self.kernels = kernels
        self.tileFloats = tileFloats
        self.productFloats = productFloats
        guard cost < Double(geometry.pixels) * Double(geometry.channels) * Double(geometry.outputs) * 9 else {
            return nil
        }
    }

    /// What an image costs, in multiply-adds. Measured, a tile of a block takes 250 of vectors to be transformed.
    private var cost: Double {
        let (inputs, outputs) = (Double(inputBlocks), Double(outputBlocks))
        let lanes = Double(kernels.lanes)
        return Double(tilesOfImage) * lanes
            * (Double(WinogradWeightGradient.positions) * inputs * outputs * lanes + 250 * (inputs + outputs))
    }

    // MARK: How tiles are cut into pieces

    private var inputBlocks: Int { (geometry.channels + kernels.lanes - 1) / kernels.lanes }
    private var outputBlocks: Int { (geometry.outputs + kernels.lanes - 1) / kernels.lanes }
    private var square: Int { kernels.lanes * kernels.lanes }

    private func tiles(_ extent: Int) -> Int {
        (extent + WinogradWeightGradient.size - 1) / WinogradWeightGradient.size
    }
    private var tilesPerRow: Int { tiles(geometry.window.width.output) }
    private var tileRows: Int { tiles(geometry.window.height.output) }
    private var tilesOfImage: Int { tilesPerRow * tileRows }
    private var floatsOfTile: Int { WinogradWeightGradient.positions * (inputBlocks + outputBlocks) * kernels.lanes }

    /// Rows of tiles of a band: an image's, or as many as are at hand at once.
    private var rowsOfBand: Int {
        max(1, min(tileRows, tileFloats / (floatsOfTile * tilesPerRow)))
    }
    private var bandsOfImage: Int { (tileRows + rowsOfBand - 1) / rowsOfBand }
    /// Bands that are at hand at once.
    private var bandsOfPiece: Int {
        let bands = tileFloats / (floatsOfTile * tilesPerRow * rowsOfBand)
        return max(1, min(geometry.images * bandsOfImage, bands))
    }
    private var tilesOfPiece: Int { bandsOfPiece * rowsOfBand * tilesPerRow }

    /// The tiles before a band, of all images.
    private func tilesBefore(_ band: Int) -> Int {
        let (image, part) = band.quotientAndRemainder(dividingBy: bandsOfImage)
        return (image * tileRows + part * rowsOfBand) * tilesPerRow
    }

    // MARK: Memory

    /// Floats from one position's transformed tiles to the next, a cache line more than they take: steps of large powers of two
    /// would fall on the same few lines of the cache.
    private var inputStep: Int { inputBlocks * tilesOfPiece * kernels.lanes + 16 }
    private var gradientStep: Int { outputBlocks * tilesOfPiece * kernels.lanes + 16 }
    /// Blocks of outputs whose products are at hand at once.
    private var blocksOfGroup: Int {
        let block = WinogradWeightGradient.positions * inputBlocks * square
        return max(1, min(outputBlocks, productFloats / block))
    }
    private var productStep: Int { blocksOfGroup * inputBlocks * square + 16 }

    /// Rows and columns that a band's tiles see.
    private var rowsSeen: Int { rowsOfBand * WinogradWeightGradient.size + 2 }
    private var columnsSeen: Int { tilesPerRow * WinogradWeightGradient.size + 2 }

    var scratchBytes: Int {
        let taps = 9 * kernels.lanes
        return max(rowsSeen * columnsSeen * kernels.lanes, taps) * MemoryLayout<Float>.stride
    }

    var sharedBytes: Int {
        WinogradWeightGradient.positions * (inputStep + gradientStep + productStep) * MemoryLayout<Float>.stride
    }

    // MARK: Run

    /// - Parameters:
    ///   - x: The layer's input.
    ///   - gradient: By its result.
    func run(x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, _ context: TrainingContext) {
        let inputs = context.sharedFloats
        let gradients = inputs + WinogradWeightGradient.positions * inputStep
        let products = gradients + WinogradWeightGradient.positions * gradientStep
        let bands = geometry.images * bandsOfImage
        for first in stride(from: 0, to: bands, by: bandsOfPiece) {
            let piece = first..<min(bands, first + bandsOfPiece)
            let start = tilesBefore(first)
            context.pool.forEach(piece.count * (inputBlocks + outputBlocks)) { task, worker in
                let (index, block) = task.quotientAndRemainder(dividingBy: inputBlocks + outputBlocks)
                let band = first + index
                let plane = context.floats(worker: worker)
                if block < inputBlocks {
                    let place = (block * tilesOfPiece + tilesBefore(band) - start) * kernels.lanes
                    transformInput(x, band: band, block: block, plane: plane, into: inputs + place)
                } else {
                    let place = ((block - inputBlocks) * tilesOfPiece + tilesBefore(band) - start) * kernels.lanes
                    transformGradient(
                        gradient, band: band, block: block - inputBlocks, plane: plane, into: gradients + place)
                }
            }
            let count = tilesBefore(piece.upperBound) - start
            for firstBlock in stride(from: 0, to: outputBlocks, by: blocksOfGroup) {
                let blocks = firstBlock..<min(outputBlocks, firstBlock + blocksOfGroup)
                context.pool.forEach(WinogradWeightGradient.positions) { position in
                    multiply(
                        inputs + position * inputStep, gradients + position * gradientStep, blocks: blocks,
                        tiles: count, into: products + position * productStep)
                }
                context.pool.forEach(blocks.count) { index, worker in
                    finish(
                        products + index * inputBlocks * square, block: blocks.lowerBound + index,
                        accumulates: target.accumulates || first > 0, scratch: context.floats(worker: worker))
                }
            }
        }
    }

    /// The rows of tiles of a band, and its image.
    private func place(of band: Int) -> (image: Int, rows: Range<Int>) {
        let (image, part) = band.quotientAndRemainder(dividingBy: bandsOfImage)
        return (image, part * rowsOfBand..<min(tileRows, (part + 1) * rowsOfBand))
    }

    private func transformInput(
        _ x: UnsafePointer<Float>, band: Int, block: Int, plane: UnsafeMutablePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let (image, rows) = place(of: band)
        let (height, width) = (geometry.window.height, geometry.window.width)
        let first = rows.lowerBound * WinogradWeightGradient.size - height.before
        copy(
            x + (image * geometry.channels + block * kernels.lanes) * height.input * width.input,
            channels: geometry.channels - block * kernels.lanes, height: height.input, width: width.input,
            rows: first..<first + rows.count * WinogradWeightGradient.size + 2, left: width.before,
            columns: columnsSeen, into: plane)
        kernels.winogradInput(
            WinogradWeightGradient.points, plane, columnsSeen * kernels.lanes, WinogradWeightGradient.size, tilesPerRow,
            0, rows.count * tilesPerRow, target, inputStep)
    }

    private func transformGradient(
        _ gradient: UnsafePointer<Float>, band: Int, block: Int, plane: UnsafeMutablePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let (image, rows) = place(of: band)
        let (height, width) = (geometry.window.height, geometry.window.width)
        let columns = tilesPerRow * WinogradWeightGradient.size
        let first = rows.lowerBound * WinogradWeightGradient.size
        copy(
            gradient + (image * geometry.outputs + block * kernels.lanes) * height.output * width.output,
            channels: geometry.outputs - block * kernels.lanes, height: height.output, width: width.output,
            rows: first..<first + rows.count * WinogradWeightGradient.size, left: 0, columns: columns, into: plane)
        kernels.winogradGradient(
            plane, columns * kernels.lanes, tilesPerRow, rows.count * tilesPerRow, target, gradientStep)
    }

    /// Copies `rows` of a block of channels side by side, zeros where they are past the image.
    private func copy(
        _ planes: UnsafePointer<Float>, channels: Int, height: Int, width: Int, rows: Range<Int>, left: Int,
        columns: Int, into plane: UnsafeMutablePointer<Float>
    ) {
        let lanes = kernels.lanes
        let there = rows.clamped(to: 0..<height)
        if there.isEmpty { return fill(plane, count: rows.count * columns * lanes, with: 0) }
        let top = there.lowerBound - rows.lowerBound
        kernels.fillBorder(
            plane, lanes, there.count, width, top, left, rows.upperBound - there.upperBound, columns - left - width)
        kernels.planarToBlocked(
            planes + there.lowerBound * width, height * width, width, plane + (top * columns + left) * lanes, 0,
            columns * lanes, lanes, min(lanes, channels), there.count, width)
    }

    /// The sums of products of one position.
    private func multiply(
        _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, blocks: Range<Int>, tiles: Int,
        into products: UnsafeMutablePointer<Float>
    ) {
        let step = tilesOfPiece * kernels.lanes
        fill(products, count: blocks.count * inputBlocks * square, with: 0)
        for input in stride(from: 0, to: inputBlocks, by: 2) {
            let isPair = input + 1 < inputBlocks
            for (index, output) in blocks.enumerated() {
                let result = products + (index * inputBlocks + input) * square
                kernels.blockProducts(
                    gradients + output * step, inputs + input * step, isPair ? inputs + (input + 1) * step : nil, tiles,
                    result, result + square, 0)
            }
        }
    }

    /// The taps of a block of outputs.
    private func finish(
        _ products: UnsafePointer<Float>, block: Int, accumulates: Bool, scratch: UnsafeMutablePointer<Float>
    ) {
        let lanes = kernels.lanes
        for input in 0..<inputBlocks {
            kernels.winogradKernelGradient(
                products + input * square, productStep, min(lanes, geometry.outputs - block * lanes),
                min(lanes, geometry.channels - input * lanes),
                target.base + (block * geometry.channels + input) * lanes * 9, geometry.channels * 9, accumulates,
                scratch)
        }
    }
}
