import Kernel
import Scripting
import Testing

@Suite(.enabled(if: ExpressionCorpus.folder != nil)) struct `Expressions of public templates` {
    @Test func `are evaluated natively in nine of ten blocks`() throws {
        let blocks = try ExpressionCorpus.blocks()
        let expressions = Expressions(scripts: nil)
        var native = 0
        for block in blocks {
            let scope = PathScope(reading: block, leaf: "text, 12")
            let result = Result { try expressions.evaluateNatively("={{\(block)}}", scope: scope, itemIndex: 0) }
            if (try? result.get()) != .needsSandbox { native += 1 }
        }
        print("natively evaluated: \(native) of \(blocks.count) blocks")
        #expect(blocks.count > 5_000)
        #expect(Double(native) / Double(blocks.count) >= 0.9)
    }

    @Test func `take microseconds`() throws {
        let expressions = Expressions(scripts: nil)
        let scope = FixtureScope()
        _ = try expressions.evaluateNatively("={{ $json.a.b }}", scope: scope, itemIndex: 0)
        let clock = ContinuousClock()
        let count = 4_000
        // The quickest of some rounds: a round in which the machine was held up says nothing.
        let times: [Duration] = try (0..<5).map { _ in
            try clock.measure {
                for _ in 0..<count { _ = try expressions.evaluateNatively("={{ $json.a.b }}", scope: scope, itemIndex: 0) }
            }
        }
        let time = try #require(times.min())
        print("a path takes \(time / count)")
        // Far above what a release build needs (about a microsecond); catches a parse for every evaluation.
        #expect(time / count < .microseconds(150))
    }
}
