import Testing

@testable import Telemetry

@Suite struct LogSetupTests {
    @Test func `a level that is none is told with those that are, and the default is taken`() {
        let choice = LogSetup.Choice(environment: ["AIAS_LOG_LEVEL": "loud", "AIAS_LOG_FORMAT": "JSON"])
        let levels = "trace, debug, info, notice, warning, error, critical"
        #expect(choice.faults == [LogSetup.Choice.Fault(name: "AIAS_LOG_LEVEL", value: "loud", accepted: levels)])
        #expect(choice.format == .json)
        #expect("\(choice.level)" == "info")
        #expect("\(LogSetup.Choice(environment: ["AIAS_LOG_LEVEL": "Error"]).level)" == "error")
    }

    @Test func `a format that is none is told, and an empty one is as none given`() {
        let choice = LogSetup.Choice(environment: ["AIAS_LOG_LEVEL": "", "AIAS_LOG_FORMAT": "xml"])
        #expect(choice.faults == [LogSetup.Choice.Fault(name: "AIAS_LOG_FORMAT", value: "xml", accepted: "json, readable")])
    }
}
