/// The choice of one option for each layer with the least loss under a budget.
///
/// With one multiplier `m` for all layers, each takes the option with the least `loss + m cost`; the smallest `m` at which the
/// budget holds gives, for what that costs, the least loss there is (Everett 1963). What of the budget is left then is spent on
/// the steps that gain most for their cost while they fit.
enum Allocation {
    /// One option of a layer.
    struct Option {
        /// In the budget's unit.
        var cost: Double
        /// What it adds to the loss.
        var loss: Double
    }

    /// The index of the option chosen for each layer; `nil` where even the cheapest options cost more than the budget.
    /// - Parameter layers: the options of each layer, at least one.
    static func choose(_ layers: [[Option]], budget: Double) -> [Int]? {
        func choice(_ multiplier: Double) -> [Int] {
            layers.map { options in
                var best = 0
                for index in options.indices.dropFirst() {
                    let (a, b) = (options[index], options[best])
                    let (x, y) = (a.loss + multiplier * a.cost, b.loss + multiplier * b.cost)
                    if x < y || (x == y && a.cost < b.cost) { best = index }
                }
                return best
            }
        }
        func cost(_ choice: [Int]) -> Double {
            var sum = 0.0
            for (options, index) in zip(layers, choice) { sum += options[index].cost }
            return sum
        }
        let free = choice(0)
        if cost(free) <= budget { return free }
        let cheapest = layers.map { options in
            options.indices.min { (options[$0].cost, options[$0].loss) < (options[$1].cost, options[$1].loss) } ?? 0
        }
        if cost(cheapest) > budget { return nil }
        var (low, high) = (0.0, 1e-12)
        while cost(choice(high)) > budget {
            low = high
            high *= 4
            // A loss that is all but infinite beside its cost.
            if high > 1e30 { return filled(layers, cheapest, budget: budget) }
        }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if cost(choice(middle)) > budget { low = middle } else { high = middle }
        }
        return filled(layers, choice(high), budget: budget)
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
