/// A discrete Fourier transform of one length, of vectors of signals.
struct Transform {
    let axis: FourierAxis
    let kernels: MomentKernels

    init(_ axis: FourierAxis, _ kernels: MomentKernels) {
        self.axis = axis
        self.kernels = kernels
    }

    /// Transforms `x`, which is lost.
    /// - Parameter work: As much room again.
    /// - Returns: Where the result is: `x` or `work`.
    func run(_ x: UnsafeMutablePointer<Float>, work: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        axis.factors.withUnsafeBufferPointer { factors in
            axis.twiddles.withUnsafeBufferPointer { twiddles in
                guard let factors = factors.baseAddress, let twiddles = twiddles.baseAddress else { return x }
                return kernels.fourierTransform(x, work, axis.count, factors, axis.factors.count, twiddles)
            }
        }
    }
}
