internal import Foundation
internal import Kernel
internal import Scripting

/// Fails on purpose, or draws made-up data, to try a workflow out.
struct DebugNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "debug_helper", category: .action, title: "Debug helper", summary: "Fails on purpose, or draws made-up data.", icon: "bug",
                parameters: parameters, n8nTypes: ["n8n-nodes-base.debugHelper"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        switch try await step.text("category", default: "throwError") {
        case "doNothing": return .items([step.items.enumerated().map { $1.paired(with: $0) }])
        case "throwError":
            let message = try await step.text("throwErrorMessage", default: "Node has thrown an error")
            return .items([try await step.eachItem { _, _ in throw StepFailure("debug_error", message) }])
        case "randomData": return .items([try await drawn(step)])
        case let category: throw StepFailure.invalid("category", "The category '\(category)' is not supported.")
        }
    }

    private func drawn(_ step: StepContext) async throws -> [Item] {
        let type = try await step.text("randomDataType", default: "user")
        let count = try await step.number("randomDataCount") ?? 10
        guard count >= 0, count <= Double(KindLimits.itemsPerStep) else {
            throw StepFailure.invalid("randomDataCount", "The number is out of range.")
        }
        let seed = try await step.text("randomDataSeed")
        var source = SplitMix64(state: seed.isEmpty ? step.services.scope().facts.seed : MadeUpData.seed(of: seed))
        let alphabet = try await step.text("nanoidAlphabet")
        let length = (try await step.number("nanoidLength") ?? 16).whole(in: -1...KindLimits.randomBytes) ?? 16
        let isOneList = try await step.flag("randomDataSingleArray")
        return try await step.eachItem { _, _ in
            let all = try (0..<Int(count)).map { _ in
                try MadeUpData.object(type, alphabet: Array(alphabet), length: length, &source)
            }
            return isOneList ? [Item(json: ["generatedItems": .array(all.map { .object($0) })])] : all.map { Item(json: $0) }
        }
    }

    private static var parameters: [Parameter] {
        let draws: Parameter.ShowWhen = ["category": ["randomData"]]
        let types = ["address", "latLong", "creditCard", "email", "ipv4", "ipv6", "macAddress", "nanoid", "url", "user", "uuid", "semver"]
        return [
            Parameter(
                "category", .options, "Category", default: "throwError",
                options: [.init("doNothing", "Do nothing"), .init("throwError", "Fail"), .init("randomData", "Draw data")]),
            Parameter(
                "throwErrorType", .options, "Type of error", default: "NodeApiError",
                options: ["NodeApiError", "NodeOperationError", "Error"].map { .init(.init(.string($0)), $0) },
                showWhen: ["category": ["throwError"]]),
            Parameter("throwErrorMessage", .string, "Message", default: "Node has thrown an error", showWhen: ["category": ["throwError"]]),
            Parameter(
                "randomDataType", .options, "Data", default: "user", options: types.map { .init(.init(.string($0)), $0) }, showWhen: draws),
            Parameter(
                "nanoidAlphabet", .string, "Alphabet", default: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                showWhen: ["category": ["randomData"], "randomDataType": ["nanoid"]]),
            Parameter(
                "nanoidLength", .string, "Length", default: "16", showWhen: ["category": ["randomData"], "randomDataType": ["nanoid"]]),
            Parameter("randomDataSeed", .string, "Seed", default: "", showWhen: draws),
            Parameter("randomDataCount", .number, "Items", default: 10, showWhen: draws),
            Parameter("randomDataSingleArray", .boolean, "As one list", default: false, showWhen: draws)
        ]
    }
}

/// People, addresses and numbers that belong to nobody. Names end in `example`, as RFC 2606 reserves it.
enum MadeUpData {
    private static let firstNames = [
        "Ada", "Alan", "Barbara", "Donald", "Edsger", "Grace", "John", "Katherine", "Leslie", "Margaret", "Niklaus", "Tim"
    ]
    private static let lastNames = ["Archer", "Baker", "Carter", "Fisher", "Fletcher", "Gardener", "Miller", "Potter", "Smith", "Taylor", "Weaver"]
    private static let places = ["Ashford", "Bridgewater", "Clearfield", "Eastbrook", "Fairview", "Lakeside", "Northgate", "Springdale", "Westport"]
    private static let streets = ["Church Street", "High Street", "Mill Lane", "Oak Avenue", "Park Road", "Station Road", "Victoria Street"]
    private static let countries = ["Canada", "France", "Germany", "India", "Japan", "Kenya", "Mexico", "Norway", "Spain"]

    /// FNV-1a (Fowler, Noll and Vo), so that a text always draws the same.
    static func seed(of text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    static func object(_ type: String, alphabet: [Character], length: Int, _ source: inout SplitMix64) throws -> JSONObject {
        switch type {
        case "user": return user(&source)
        case "email":
            let person = person(&source)
            return ["email": .string(email(person)), "confirmed": .bool(Bool.random(using: &source))]
        case "address": return address(&source)
        case "creditCard": return creditCard(&source)
        case "uuid": return ["uuid": .string(uuid(&source))]
        case "macAddress": return ["mac": .string(groups(6, separator: ":", &source) { hex($0, 2) })]
        case "ipv4": return ["ip": .string(groups(4, separator: ".", &source) { String($0 % 256) })]
        case "ipv6": return ["ipv6": .string(groups(8, separator: ":", &source) { hex($0, 4) })]
        case "latLong":
            let latitude = Double.random(in: -90...90, using: &source)
            let longitude = Double.random(in: -180...180, using: &source)
            return ["location": ["lat": .number(rounded(latitude)), "long": .number(rounded(longitude))]]
        case "semver": return ["version": .string(groups(3, separator: ".", &source) { String($0 % 20) })]
        case "url": return ["url": .string("https://\(pick(places, &source).lowercased()).example/\(number(100...999, &source))")]
        case "nanoid":
            guard !alphabet.isEmpty, length >= 0 else { throw StepFailure.invalid("nanoidAlphabet", "The alphabet is empty.") }
            return ["nanoId": .string(String((0..<length).map { _ in alphabet[Int(source.next() % UInt64(alphabet.count))] }))]
        default: throw StepFailure.invalid("randomDataType", "The data type '\(type)' is unknown.")
        }
    }

    private static func person(_ source: inout SplitMix64) -> (first: String, last: String) { (pick(firstNames, &source), pick(lastNames, &source)) }
    private static func email(_ person: (first: String, last: String)) -> String { "\(person.first).\(person.last)@mail.example".lowercased() }

    private static func user(_ source: inout SplitMix64) -> JSONObject {
        let person = person(&source)
        let password = String((0..<12).map { _ in Character(Unicode.Scalar(UInt8(97 + source.next() % 26))) })
        return [
            "uid": .string(uuid(&source)), "email": .string(email(person)), "firstname": .string(person.first), "lastname": .string(person.last),
            "password": .string(password)
        ]
    }

    private static func address(_ source: inout SplitMix64) -> JSONObject {
        let person = person(&source)
        return [
            "firstname": .string(person.first), "lastname": .string(person.last),
            "street": .string("\(number(1...199, &source)) \(pick(streets, &source))"), "city": .string(pick(places, &source)),
            "zip": .string(String(number(10_000...99_999, &source))), "state": .string(pick(places, &source)),
            "country": .string(pick(countries, &source))
        ]
    }

    /// The number passes the check of ISO/IEC 7812 (Luhn) and begins with digits that are nobody's.
    private static func creditCard(_ source: inout SplitMix64) -> JSONObject {
        var digits = [9, 9, 9, 9] + (0..<11).map { _ in Int(source.next() % 10) }
        let sum = digits.reversed().enumerated().reduce(0) { sum, entry in
            guard entry.offset % 2 == 0 else { return sum + entry.element }
            return sum + (entry.element * 2 > 9 ? entry.element * 2 - 9 : entry.element * 2)
        }
        digits.append((10 - sum % 10) % 10)
        let month = number(1...12, &source)
        return [
            "type": "Test", "number": .string(digits.map(String.init).joined()), "ccv": .string(String(number(100...999, &source))),
            "exp": .string("\(month < 10 ? "0" : "")\(month)/\(number(30...39, &source))"),
            "holder_name": .string("\(pick(firstNames, &source)) \(pick(lastNames, &source))")
        ]
    }

    private static func uuid(_ source: inout SplitMix64) -> String {
        var bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: source.next()) }
        // Version 4, variant 1 (RFC 9562).
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let text = bytes.map { hex(UInt64($0), 2) }.joined()
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(text.dropFirst(range.lowerBound).prefix(range.count))
        }.joined(separator: "-")
    }

    private static func groups(_ count: Int, separator: String, _ source: inout SplitMix64, _ text: (UInt64) -> String) -> String {
        (0..<count).map { _ in text(source.next()) }.joined(separator: separator)
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value & (digits == 2 ? 0xFF : 0xFFFF), radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    private static func pick(_ names: [String], _ source: inout SplitMix64) -> String { names[Int(source.next() % UInt64(names.count))] }
    private static func number(_ range: ClosedRange<Int>, _ source: inout SplitMix64) -> Int { Int.random(in: range, using: &source) }
    private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}
