/// How the tiles of a convolution by Winograd's filtering are cut into chunks.
///
/// All of a chunk must fit into the second-level cache with room for the weights' stream; measured, more than 28 tiles gain
/// nothing. Threads take chunks of their own where there are enough tiles for each, as many chunks for each; else they
/// share one chunk phase by phase, unless weights are so few that a few tiles are worth reading them.
struct WinogradChunks {
    /// Tiles that are done at once.
    let tiles: Int
    /// Whether each thread takes chunks of its own.
    let areOwn: Bool

    /// - Parameters:
    ///   - tileCount: Tiles of an image.
    ///   - tileBytes: Bytes of a tile before and after the products, at all positions.
    ///   - weightBytes: Bytes of the transformed weights.
    ///   - images: Images of the batch.
    ///   - workers: Threads there will be.
    init(tileCount: Int, tileBytes: Int, weightBytes: Int, images: Int, workers: Int) {
        let fitting = max(14, min(28, WinogradChunks.cacheBytes / tileBytes / 14 * 14))
        if workers == 1 {
            (tiles, areOwn) = (tileCount <= fitting + 2 ? tileCount : fitting, true)
            return
        }
        let fewest = weightBytes <= WinogradChunks.fewWeightBytes ? 7 : 14
        if tileCount < fewest * workers {
            tiles = min(tileCount, fitting + 2)
            areOwn = images * ((tileCount + fitting + 1) / (fitting + 2)) >= 2 * workers
            return
        }
        let chunks = (tileCount + fitting - 1) / fitting
        let evenly = (chunks + workers - 1) / workers * workers
        (tiles, areOwn) = ((tileCount + evenly - 1) / evenly, true)
    }

    private static let cacheBytes = 640 * 1024
    private static let fewWeightBytes = 4 << 20
}
