import Kernel
import Testing

@testable import Workflows

/// The harness's clock stands at noon of 10 March 2026, UTC.
@Suite struct KindsDateTests {
    let harness = KindsHarness()

    func one(_ version: Double, _ config: JSONObject, _ input: JSON = [:], onError: WorkflowNode.OnError = .stop) async throws -> JSON {
        try #require(try await harness.node(.make("date_time", version, config, onError: onError), inputs: [items(input)])[0].first)
    }

    @Test func `moments are written in Moment's tokens as Moment writes them`() async throws {
        let cases = try Reference.json("moment").array ?? []
        #expect(cases.count >= 50)
        for wanted in cases {
            let config: JSONObject = [
                "value": wanted["time"] ?? "", "custom": true, "toFormat": wanted["format"] ?? "", "options": ["toTimezone": "UTC"]
            ]
            #expect(try await one(1, config)["data"] == wanted["text"], "\(wanted["time"]?.text ?? "") \(wanted["format"]?.text ?? "")")
        }
    }

    @Test func `version 1 reads, shifts zones and calculates`() async throws {
        #expect(try await one(1, ["value": "2026-01-31T10:20:30Z"], ["k": 1]) == ["k": 1, "data": "01/31/2026"])
        let shifted: JSONObject = [
            "value": "31.01.2026 10:20", "custom": true, "toFormat": "YYYY-MM-DD HH:mm Z", "dataPropertyName": "a.b",
            "options": ["fromFormat": "DD.MM.YYYY HH:mm", "fromTimezone": "Europe/Berlin", "toTimezone": "America/New_York"]
        ]
        #expect(try await one(1, shifted) == ["a.b": "2026-01-31 04:20 -05:00"])
        #expect(try await one(1, ["value": 1_767_225_600, "toFormat": "YYYY-MM-DD"])["data"] == "2026-01-01")
        #expect(try await one(1, ["value": "1767225600000", "toFormat": "YYYY-MM-DD"])["data"] == "2026-01-01")
        func calculated(_ more: JSONObject) async throws -> JSON? {
            var config: JSONObject = ["action": "calculate", "value": "2026-01-31T10:00:00Z", "duration": 1]
            config.merge(more)
            return try await one(1, config)["data"]
        }
        #expect(try await calculated([:]) == "2026-02-01T10:00:00.000Z")
        #expect(try await calculated(["timeUnit": "months"]) == "2026-02-28T10:00:00.000Z")
        #expect(try await calculated(["timeUnit": "quarters", "operation": "subtract"]) == "2025-10-31T10:00:00.000Z")
        #expect(try await calculated(["value": "={{ $now }}", "timeUnit": "hours", "duration": 12]) == "2026-03-11T00:00:00.000Z")
        await #expect(throws: StepFailure.self) { try await one(1, ["value": "someday"]) }
        #expect(try await one(1, ["value": "someday"], onError: .continueRegular)["error"]?.text?.contains("someday") == true)
    }

    @Test func `the current date comes with or without its time`() async throws {
        #expect(try await one(2, [:], ["k": 1]) == ["currentDate": "2026-03-10T12:00:00.000Z"])
        #expect(try await one(2, ["includeTime": false, "outputFieldName": "d"]) == ["d": "2026-03-10T00:00:00.000Z"])
        let berlin = try await one(2, ["options": ["timezone": "Europe/Berlin", "includeInputFields": true]], ["k": 1])
        #expect(berlin == ["k": 1, "currentDate": "2026-03-10T13:00:00.000+01:00"])
        await #expect(throws: StepFailure.self) { try await one(2, ["options": ["timezone": "Mars/Base"]]) }
    }

    @Test func `time is added and subtracted by the calendar`() async throws {
        func moved(_ operation: JSON, _ date: JSON, _ amount: JSON, _ unit: JSON) async throws -> JSON? {
            try await one(2, ["operation": operation, "magnitude": date, "duration": amount, "timeUnit": unit])["newDate"]
        }
        #expect(try await moved("addToDate", "2026-01-31", 1, "months") == "2026-02-28T00:00:00.000Z")
        #expect(try await moved("subtractFromDate", "2024-02-29T08:00:00Z", 1, "years") == "2023-02-28T08:00:00.000Z")
        #expect(try await moved("addToDate", "={{ $now }}", 90, "minutes") == "2026-03-10T13:30:00.000Z")
        #expect(try await moved("addToDate", "={{ $now.setZone('Europe/Berlin') }}", 1, "weeks") == "2026-03-17T13:00:00.000+01:00")
        #expect(try await moved("addToDate", 1_767_225_600, 2, "days") == "2026-01-03T00:00:00.000Z")
        await #expect(throws: StepFailure.self) { try await moved("addToDate", "2026-01-31", 1, "moons") }
        await #expect(throws: StepFailure.self) { try await moved("addToDate", "", 1, "days") }
    }

    @Test func `dates are written in Luxon's tokens`() async throws {
        func written(_ date: JSON, _ more: JSONObject = [:]) async throws -> JSON? {
            var config: JSONObject = ["operation": "formatDate", "date": date]
            config.merge(more)
            return try await one(2, config)["formattedDate"]
        }
        #expect(try await written("2026-03-10T23:30:00Z") == "03/10/2026")
        #expect(try await written("2026-03-10T23:30:00Z", ["format": "X"]) == "1773185400")
        #expect(try await written("2026-03-10", ["format": "custom", "customFormat": "LLL-d-y"]) == "Mar-10-2026")
        #expect(
            try await written("2026-03-11T00:30:00+02:00", ["format": "custom", "customFormat": "dd HH:mm ZZ"]) == "11 00:30 +02:00",
            "a text keeps an offset east of UTC")
        #expect(try await written("10.03.2026", ["format": "yyyy-MM-dd", "options": ["fromFormat": "dd.MM.yyyy"]]) == "2026-03-10")
        #expect(try await written("={{ null }}") == .null)
        await #expect(throws: StepFailure.self) { try await written("10.03.2026", ["options": ["fromFormat": "yyyy"]]) }
    }

    @Test func `dates are rounded, parted and compared`() async throws {
        func rounded(_ more: JSONObject) async throws -> JSON? {
            var config: JSONObject = ["operation": "roundDate", "date": "2026-03-11T15:16:17.018Z"]
            config.merge(more)
            return try await one(2, config)["roundedDate"]
        }
        #expect(try await rounded([:]) == "2026-03-01T00:00:00.000Z")
        #expect(try await rounded(["toNearest": "week"]) == "2026-03-09T00:00:00.000Z", "weeks begin on Monday")
        #expect(try await rounded(["toNearest": "minute"]) == "2026-03-11T15:16:00.000Z")
        #expect(try await rounded(["mode": "roundUp"]) == "2026-04-01T00:00:00.000Z")
        for (part, value) in [("year", 2026), ("month", 3), ("week", 11), ("day", 11), ("hour", 15), ("minute", 16), ("second", 17)] {
            let config: JSONObject = ["operation": "extractDate", "date": "2026-03-11T15:16:17Z", "part": .string(part)]
            #expect(try await one(2, config)["datePart"] == .number(Double(value)), "\(part)")
        }
        func between(_ more: JSONObject) async throws -> JSON? {
            var config: JSONObject = ["operation": "getTimeBetweenDates", "startDate": "2026-01-31", "endDate": "2026-03-10T12:00:00Z"]
            config.merge(more)
            return try await one(2, config)["timeDifference"]
        }
        #expect(try await between([:]) == ["days": 38.5])
        #expect(try await between(["units": ["month", "day", "hour"]]) == ["months": 1, "days": 10, "hours": 12])
        #expect(try await between(["units": ["day", "hour"], "endDate": "={{ $now }}", "options": ["isoString": true]]) == "P38DT12H")
    }
}
