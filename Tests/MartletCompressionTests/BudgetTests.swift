import MartletCompression
import Testing

@Suite struct BudgetTests {
    @Test(arguments: [
        ("params=0.5", Budget.part(.parameters, 0.5)), ("macs=40%", .part(.multiplyAdds, 0.4)),
        ("bytes=6MB", .amount(.bytes, 6e6)), ("bytes=2MiB", .amount(.bytes, 2_097_152)),
        ("bytes=100", .amount(.bytes, 100)), ("params=5M", .amount(.parameters, 5e6)),
        ("latency=0.6", .part(.latency, 0.6)), ("latency=3ms", .amount(.latency, 3)), ("drop=1%", .drop(0.01)),
        ("drop=0.02", .drop(0.02)),
    ])
    func readsText(text: String, budget: Budget) throws {
        #expect(try Budget(parsing: text) == budget)
        #expect(try Budget(parsing: budget.description) == budget)
    }

    @Test(arguments: [
        "", "0.5", "params", "params=", "params=-1", "params=nan", "params=0", "weights=0.5", "latency=3", "drop=200%",
        "params=150%", "bytes=6TB", "params=0.5=0.5", "params=1e300",
    ])
    func refusesOtherText(text: String) {
        #expect(throws: CompressionError.budgetText(text)) { try Budget(parsing: text) }
    }

    @Test func limits() {
        #expect(Budget.part(.parameters, 0.5).limit(original: 10) == 5)
        #expect(Budget.amount(.bytes, 3).limit(original: 10) == 3)
        #expect(Budget.drop(0.1).limit(original: 10) == nil)
    }
}
