import MartletTestSupport
import Testing

@testable import MartletCompression

@Suite struct AllocationTests {
    /// Every choice there is.
    func exhaustive(_ layers: [[Allocation.Option]], budget: Double) -> Double? {
        var best: Double?
        func visit(_ layer: Int, _ cost: Double, _ loss: Double) {
            if cost > budget { return }
            if layer == layers.count {
                best = min(best ?? .infinity, loss)
                return
            }
            for option in layers[layer] { visit(layer + 1, cost + option.cost, loss + option.loss) }
        }
        visit(0, 0, 0)
        return best
    }

    @Test(arguments: 0..<30) func isAsGoodAsTryingEverything(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let layers = (0..<5).map { _ in
            generator.floats(6).map { x in
                let cost = Double(Int(abs(x) * 40)) + 1
                return Allocation.Option(cost: cost, loss: 1 / cost + Double(abs(x)) * 0.001)
            }
        }
        for budget in [10.0, 30, 60, 90] {
            let chosen = Allocation.choose(layers, budget: budget)
            let best = exhaustive(layers, budget: budget)
            #expect((chosen == nil) == (best == nil))
            guard let chosen, let best else { continue }
            let cost = zip(layers, chosen).reduce(0.0) { $0 + $1.0[$1.1].cost }
            let loss = zip(layers, chosen).reduce(0.0) { $0 + $1.0[$1.1].loss }
            #expect(cost <= budget)
            #expect(abs(loss - best) < 1e-9)
        }
    }

    @Test func costsThatAreNotWholeKeepToTheBudget() throws {
        let layers = (1...4).map { layer in
            (1...50).map { Allocation.Option(cost: Double($0) * 0.0137 * Double(layer), loss: 1 / Double($0)) }
        }
        let chosen = try #require(Allocation.choose(layers, budget: 2.5, least: 2.475))
        let cost = zip(layers, chosen).reduce(0.0) { $0 + $1.0[$1.1].cost }
        #expect(cost <= 2.5 && cost >= 2.475)
    }

    @Test func saysWhenNothingFits() {
        let layers = [[Allocation.Option(cost: 5, loss: 1), Allocation.Option(cost: 9, loss: 0)]]
        #expect(Allocation.choose(layers, budget: 4) == nil)
        #expect(Allocation.choose(layers, budget: 8, least: 7) == nil)
        #expect(Allocation.choose(layers, budget: 9.5, least: 9) == [1])
        #expect(Allocation.choose(layers, budget: -1) == nil)
    }

    /// A worse choice that uses the budget is taken where the best would leave too much of it.
    @Test func usesTheBudget() {
        let layers = [[Allocation.Option(cost: 5, loss: 1), Allocation.Option(cost: 10, loss: 1.5)]]
        #expect(Allocation.choose(layers, budget: 10, least: 9.9) == [1])
    }
}
