import CMartletIntrinsics

/// The sum of two images of bytes with scales of their own, or one brought to another scale:
/// `output = zero point + clamp(round((a - za) fa + (b - zb) fb))`, halves to the even integer; `output` may be `a` or `b`.
///
/// - Parameters:
///   - b: `nil` for none.
///   - settings: The bounds of the result from its zero point; the zero point, whose bits are those of an integer; fa, za,
///     fb, zb.
public func addQuantizedRows(
    _ a: UnsafePointer<UInt8>, aRowStep: Int, _ b: UnsafePointer<UInt8>?, bRowStep: Int,
    output: UnsafeMutablePointer<UInt8>, outputRowStep: Int, rows: Int, columns: Int, settings: UnsafePointer<Float>
) {
    let count = columns * bytesOfPixel
    let (fa, za) = (Reals(repeating: settings[3]), Reals(repeating: settings[4]))
    let (fb, zb) = (Reals(repeating: settings[5]), Reals(repeating: settings[6]))
    var row = 0
    while row < rows {
        let a = a + row * aRowStep
        let output = output + row * outputRowStep
        var i = 0
        if let b {
            let b = b + row * bRowStep
            while i < count {
                let left = (martlet_to_reals(martlet_load_bytes(a + i)) - za) * fa
                let right = (martlet_to_reals(martlet_load_bytes(b + i)) - zb) * fb
                martlet_store_rounded(left + right, settings, output + i)
                i += Integers.scalarCount
            }
        } else {
            while i < count {
                martlet_store_rounded((martlet_to_reals(martlet_load_bytes(a + i)) - za) * fa, settings, output + i)
                i += Integers.scalarCount
            }
        }
        row += 1
    }
}
