/// The choice of one option for each layer with the least loss under a budget, by dynamic programming.
///
/// Costs are counted in units of a 20,000th of the budget, rounded up, so that the budget holds for certain: the choice is the
/// best there is but for that rounding. What rounding leaves over is spent on the steps that gain most while they fit.
enum Allocation {
    /// One option of a layer.
    struct Option {
        /// In the budget's unit.
        var cost: Double
        /// What it adds to the loss.
        var loss: Double
    }

    /// How finely the budget is divided.
    static let units = 20_000

    /// The index of the option chosen for each layer; `nil` where no choice costs from `least` to `budget`.
    ///
    /// Takes about `layers x options x 20,000` steps.
    /// - Parameter layers: the options of each layer, at least one.
    static func choose(_ layers: [[Option]], budget: Double, least: Double = 0) -> [Int]? {
        if budget < 0 { return nil }
        let cheapest = layers.reduce(0.0) { $0 + ($1.map(\.cost).min() ?? 0) }
        if cheapest > budget { return nil }
        // Whole numbers that fit are counted as they are.
        let isWhole = budget <= Double(units) && layers.allSatisfy { $0.allSatisfy { $0.cost == $0.cost.rounded() } }
        let unit = isWhole ? 1 : max(budget / Double(units), .leastNormalMagnitude)
        let capacity = isWhole ? Int(budget) : units
        func size(_ option: Option) -> Int { Int(min((option.cost / unit).rounded(.up), 1e15)) }

        // The least loss of the layers so far at exactly each cost, and which option of the last leads there.
        var losses = [Double](repeating: .infinity, count: capacity + 1)
        losses[0] = 0
        var choices: [[UInt32]] = []
        for options in layers {
            var next = [Double](repeating: .infinity, count: capacity + 1)
            var choice = [UInt32](repeating: 0, count: capacity + 1)
            losses.withUnsafeBufferPointer { losses in
                for (index, option) in options.enumerated() {
                    let cost = size(option)
                    if cost > capacity { continue }
                    next.withUnsafeMutableBufferPointer { next in
                        choice.withUnsafeMutableBufferPointer { choice in
                            for total in cost...capacity where losses[total - cost] + option.loss < next[total] {
                                next[total] = losses[total - cost] + option.loss
                                choice[total] = UInt32(index)
                            }
                        }
                    }
                }
            }
            losses = next
            choices.append(choice)
        }
        func traced(from total: Int) -> [Int] {
            var (total, result) = (total, [Int](repeating: 0, count: layers.count))
            for layer in layers.indices.reversed() {
                result[layer] = Int(choices[layer][total])
                total -= size(layers[layer][result[layer]])
            }
            return result
        }
        func cost(_ choice: [Int]) -> Double { zip(layers, choice).reduce(0.0) { $0 + $1.0[$1.1].cost } }
        /// The best whose counted cost is at least `floor`.
        func best(from floor: Int) -> [Int]? {
            var best: Int?
            for total in min(floor, capacity)...capacity where losses[total] < best.map({ losses[$0] }) ?? .infinity {
                best = total
            }
            return best.map(traced)
        }
        if let choice = best(from: 0).map({ filled(layers, $0, budget: budget) }), cost(choice) >= least {
            return choice
        }
        // Where steps are coarse the best may leave too much of the budget: then the best of those that do not. Counted costs
        // are up to a unit a layer above the true ones.
        let floor = Int((least / unit).rounded(.up))
        for floor in [floor, floor + layers.count] {
            if let choice = best(from: floor), cost(choice) >= least { return choice }
        }
        // Rounding up may hide a choice that just fits; the cheapest always does.
        let fallback = filled(
            layers,
            layers.map { options in
                options.indices.min { (options[$0].cost, options[$0].loss) < (options[$1].cost, options[$1].loss) } ?? 0
            }, budget: budget)
        return cost(fallback) >= least ? fallback : nil
    }

    /// Spends what is left.
    private static func filled(_ layers: [[Option]], _ choice: [Int], budget: Double) -> [Int] {
        var choice = choice
        var left = budget
        for (options, index) in zip(layers, choice) { left -= options[index].cost }
        while true {
            var best: (layer: Int, option: Int, gain: Double)?
            for (layer, options) in layers.enumerated() {
                let current = options[choice[layer]]
                for (index, option) in options.enumerated() {
                    let step = option.cost - current.cost
                    guard step <= left, option.loss < current.loss else { continue }
                    let gain = (current.loss - option.loss) / max(step, 1e-12)
                    if gain > best?.gain ?? 0 { best = (layer, index, gain) }
                }
            }
            guard let best else { return choice }
            left -= layers[best.layer][best.option].cost - layers[best.layer][choice[best.layer]].cost
            choice[best.layer] = best.option
        }
    }
}
