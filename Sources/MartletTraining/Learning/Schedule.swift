#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The learning rate over a run: a tenth of the steps straight up to its peak, the rest down to zero along half a cosine
/// (Loshchilov and Hutter, 2017).
struct Schedule {
    let peak: Double
    let steps: Int

    /// The rate of a step, counted from 0.
    func rate(_ step: Int) -> Double {
        let warm = max(1, steps / 10)
        if step < warm { return peak * Double(step + 1) / Double(warm) }
        let part = Double(step - warm) / Double(max(1, steps - warm))
        return peak * 0.5 * (1 + cos(part * Double.pi))
    }
}
