import Foundation

/// A length for the discrete Fourier transform, with what its kernel needs.
struct FourierAxis {
    let count: Int
    let factors: [Int]
    let twiddles: [Float]

    /// The shortest length of at least `minimum` that has no factors but 2, 3 and 5.
    init(atLeast minimum: Int) {
        var count = max(1, minimum)
        while !FourierAxis.isSmooth(count) { count += 1 }
        self.count = count
        var factors: [Int] = []
        var rest = count
        for factor in [5, 4, 3, 2] {
            while rest % factor == 0 {
                factors.append(factor)
                rest /= factor
            }
        }
        self.factors = factors
        var twiddles: [Float] = []
        var n = count
        for radix in factors {
            for p in 0..<n / radix {
                for j in 1..<radix {
                    let angle = -2 * Double.pi * Double(p * j) / Double(n)
                    twiddles += [Float(cos(angle)), Float(sin(angle))]
                }
            }
            n /= radix
        }
        self.twiddles = twiddles
    }

    private static func isSmooth(_ number: Int) -> Bool {
        var rest = number
        for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
        return rest == 1
    }

    /// cos and sin of `2 pi f lag / count` for every frequency f.
    func angles(lag: Int) -> [Float] {
        (0..<count).flatMap { f -> [Float] in
            let angle = 2 * Double.pi * Double((f * lag) % count) / Double(count)
            return [Float(cos(angle)), Float(sin(angle))]
        }
    }

    /// cos and sin of `2 pi frequency lag / count`.
    func phase(frequency: Int, lag: Int) -> (cosine: Double, sine: Double) {
        let angle = 2 * Double.pi * Double(frequency * lag % count) / Double(count)
        return (cos(angle), sin(angle))
    }

    /// Complex multiplications and additions of one transform, roughly, in vector instructions.
    var cost: Double { Double(count) * factors.reduce(0.0) { $0 + Double($1) + 2 } }
}
