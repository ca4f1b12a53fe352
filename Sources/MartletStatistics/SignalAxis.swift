/// How the taps of a kernel look at one axis of the input, as shifts of a few signals.
///
/// Tap t at output p sees the padded input at `stride p + dilation t`. With `dilation t = stride a + r` that is element
/// `p + a` of the r-th *phase*, the signal of every stride-th element from r on. Two taps therefore see two phases with a
/// shift of `a' - a` between them, and the sum over all outputs of what they see depends on that difference alone, but
/// for the elements at the ends that one of the windows `a ..< a + outputs` leaves out.
struct SignalAxis: Hashable {
    /// A tap: which phase it sees, and which element of it at output 0.
    struct Tap: Hashable {
        var phase: Int
        var start: Int
    }

    /// A signal: the input at `first + stride n` for n in `support`, zero elsewhere.
    struct Phase: Hashable {
        var first: Int
        var support: Range<Int>
    }

    /// The number of outputs.
    let outputs: Int
    /// The distance between the elements of a phase in the input.
    let stride: Int
    /// The taps of the kernel, in order.
    let taps: [Tap]
    /// The signals that taps see, their elements counted so that the first that is seen by any tap is 0.
    let phases: [Phase]
    /// How many elements there are to count, over all phases.
    let extent: Int

    /// The taps as shifts of phases; with `unfolds`, every tap is a signal of its own, as it is unfolded.
    init(
        input: Int, outputs: Int, kernel: Int, stride: Int, dilation: Int, before: Int, unfolds: Bool
    ) {
        self.outputs = outputs
        self.stride = stride
        var taps: [Tap] = []
        var residues: [Int] = []
        for tap in 0..<kernel {
            let position = tap * dilation
            if unfolds {
                taps.append(Tap(phase: tap, start: 0))
                residues.append(position)
            } else {
                let residue = position % stride
                let phase = residues.firstIndex(of: residue) ?? residues.count
                if phase == residues.count { residues.append(residue) }
                taps.append(Tap(phase: phase, start: position / stride))
            }
        }
        var phases = residues.enumerated().map { index, residue -> Phase in
            let starts = taps.filter { $0.phase == index }.map(\.start)
            let seen = (starts.min() ?? 0)..<((starts.max() ?? 0) + outputs)
            // Inside the input: 0 <= stride n + residue - before < input.
            let first = residue - before
            let low = first >= 0 ? 0 : (-first + stride - 1) / stride
            let high = input - first <= 0 ? 0 : (input - first + stride - 1) / stride
            let support = max(low, seen.lowerBound)..<max(max(low, seen.lowerBound), min(high, seen.upperBound))
            return Phase(first: first, support: support)
        }
        let filled = phases.filter { !$0.support.isEmpty }
        let origin = filled.map(\.support.lowerBound).min() ?? 0
        extent = (filled.map(\.support.upperBound).max() ?? origin) - origin
        for index in phases.indices {
            let support = phases[index].support
            phases[index].first += stride * origin
            phases[index].support =
                support.isEmpty ? 0..<0 : support.lowerBound - origin..<support.upperBound - origin
        }
        self.taps = taps.map { Tap(phase: $0.phase, start: $0.start - origin) }
        self.phases = phases
    }

    /// The shift from what tap `t` sees to what tap `other` sees.
    func lag(_ t: Int, _ other: Int) -> Int { taps[other].start - taps[t].start }

    /// The largest shift between two taps.
    var maximumLag: Int { (taps.map(\.start).max() ?? 0) - (taps.map(\.start).min() ?? 0) }

    /// The elements n that a sum over everything counts for a pair of taps and the outputs do not: those that tap `t`
    /// does not see, with both n and its partner inside their supports.
    func excluded(_ t: Int, _ other: Int) -> [Int] {
        let tap = taps[t]
        let partner = phases[taps[other].phase].support
        let lag = lag(t, other)
        return phases[tap.phase].support.filter { n in
            !(tap.start..<tap.start + outputs).contains(n) && partner.contains(n + lag)
        }
    }

    /// The elements that tap `t` sees and that are not zero by definition.
    func window(_ t: Int) -> Range<Int> {
        let tap = taps[t]
        let support = phases[tap.phase].support
        let low = max(tap.start, support.lowerBound)
        return low..<max(low, min(tap.start + outputs, support.upperBound))
    }
}
