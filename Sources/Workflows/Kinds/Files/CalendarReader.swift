internal import Kernel

/// Reads a calendar file (RFC 5545) into `{version, prodId, method?, name?, events: […]}`.
enum CalendarReader {
    static let linesMaximum = 1_000_000

    private struct Line {
        var name: String
        var parameters: [String: String]
        var value: String
    }

    static func read(_ text: String) throws -> JSON {
        let lines = try lines(of: text)
        guard lines.first?.name == "BEGIN", lines.first?.value.uppercased() == "VCALENDAR" else {
            throw StepFailure("unreadable_file", "The file is no calendar.", isRetryable: false)
        }
        var calendar = JSONObject()
        var events: [JSON] = []
        var event: JSONObject?
        /// Components inside another one, whose lines are not the event's.
        var depth = 0
        for line in lines.dropFirst() {
            let component = line.value.uppercased()
            switch line.name {
            case "BEGIN" where component == "VEVENT" && depth == 0: event = [:]
            case "BEGIN": depth += 1
            case "END" where depth > 0: depth -= 1
            case "END" where component == "VEVENT":
                if let event { events.append(.object(event)) }
                event = nil
            case _ where depth > 0: break
            default:
                if event != nil { add(line, to: &event!) } else { head(line, &calendar) }
            }
        }
        calendar["events"] = .array(events)
        return .object(calendar)
    }

    private static func head(_ line: Line, _ calendar: inout JSONObject) {
        let names = ["VERSION": "version", "PRODID": "prodId", "METHOD": "method", "X-WR-CALNAME": "name"]
        if let name = names[line.name] { calendar[name] = .string(unescaped(line.value)) }
    }

    private static let texts = [
        "SUMMARY": "summary", "DESCRIPTION": "description", "LOCATION": "location", "STATUS": "status", "URL": "url", "UID": "uid", "CLASS": "class",
        "TRANSP": "timeTransparent", "GEO": "geo", "COMMENT": "comment"
    ]
    private static let times = [
        "DTSTART": "start", "DTEND": "end", "DTSTAMP": "stamp", "CREATED": "created", "LAST-MODIFIED": "lastModified", "RECURRENCE-ID": "recurrenceId"
    ]

    private static func add(_ line: Line, to event: inout JSONObject) {
        if let name = texts[line.name] {
            event[name] = .string(unescaped(line.value))
        } else if let name = times[line.name] {
            event[name] = time(line)
        } else {
            switch line.name {
            case "SEQUENCE", "PRIORITY": event[line.name.lowercased()] = Double(line.value).map { .number($0) }
            case "CATEGORIES": event["categories"] = .array(line.value.split(separator: ",").map { .string(unescaped(String($0))) })
            case "RRULE": event["recurrenceRule"] = rule(line.value)
            case "DURATION": event["duration"] = .string(line.value)
            case "ORGANIZER": event["organizer"] = person(line)
            case "ATTENDEE": event["attendees"] = .array((event["attendees"]?.array ?? []) + [person(line)])
            default: break
            }
        }
    }

    /// `{date, type?, local?: {date, timezone}}`; a time without a zone is taken for UTC.
    private static func time(_ line: Line) -> JSON {
        let digits = line.value.filter { $0.isASCII && $0.isNumber }
        guard digits.count >= 8 else { return ["date": .string(line.value)] }
        func part(_ start: Int, _ length: Int) -> String { String(digits.dropFirst(start).prefix(length)) }
        let day = "\(part(0, 4))-\(part(4, 2))-\(part(6, 2))"
        guard digits.count >= 14 else { return ["date": .string("\(day)T00:00:00.000Z"), "type": "DATE"] }
        let local = "\(day)T\(part(8, 2)):\(part(10, 2)):\(part(12, 2))"
        guard let zone = line.parameters["TZID"], !line.value.hasSuffix("Z"), let utc = LooseTime.parse(.string(local), timeZone: zone) else {
            return ["date": .string("\(local).000Z"), "type": "DATE-TIME"]
        }
        return [
            "date": .string(String(utc.description.dropLast(4)) + "Z"), "type": "DATE-TIME",
            "local": ["date": .string("\(local).000Z"), "timezone": .string(zone)]
        ]
    }

    private static func rule(_ value: String) -> JSON {
        var members = JSONObject()
        for part in value.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { continue }
            switch pair[0].uppercased() {
            case "FREQ": members["frequency"] = .string(pair[1])
            case "COUNT", "INTERVAL": members[pair[0].lowercased()] = Double(pair[1]).map { .number($0) }
            case "UNTIL": members["until"] = time(Line(name: "", parameters: [:], value: pair[1]))
            case "WKST": members["workweekStart"] = .string(pair[1])
            case let name where name.hasPrefix("BY"):
                let list = pair[1].split(separator: ",").map { entry in Double(entry).map { JSON.number($0) } ?? .string(String(entry)) }
                members["by" + name.dropFirst(2).capitalizedFirst] = .array(list)
            default: break
            }
        }
        return .object(members)
    }

    private static func person(_ line: Line) -> JSON {
        var members = JSONObject()
        if let name = line.parameters["CN"] { members["name"] = .string(name) }
        let address = line.value.lowercased().hasPrefix("mailto:") ? String(line.value.dropFirst(7)) : line.value
        members["email"] = .string(address)
        for (parameter, name) in [("ROLE", "role"), ("PARTSTAT", "partstat"), ("CUTYPE", "cuType")] {
            if let value = line.parameters[parameter] { members[name] = .string(value) }
        }
        if let rsvp = line.parameters["RSVP"] { members["rsvp"] = .bool(rsvp.uppercased() == "TRUE") }
        return .object(members)
    }

    /// Continued lines joined, names in upper case.
    private static func lines(of text: String) throws -> [Line] {
        var whole: [String] = []
        for line in text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline) {
            if line.first == " " || line.first == "\t", !whole.isEmpty {
                whole[whole.count - 1] += line.dropFirst()
            } else {
                whole.append(String(line))
            }
            guard whole.count <= linesMaximum else { throw StepFailure("file_too_large", "The calendar has too many lines.", isRetryable: false) }
        }
        return whole.map(parse)
    }

    private static func parse(_ text: String) -> Line {
        var parts: [String] = [""]
        var isQuoted = false
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                parts.append("")
            } else if character == ":", !isQuoted {
                break
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { parameters[pair[0].uppercased()] = pair[1] }
        }
        return Line(name: parts[0].uppercased(), parameters: parameters, value: String(rest))
    }

    private static func unescaped(_ text: String) -> String {
        var out = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.popFirst() else {
                out.append(character)
                continue
            }
            out.append(next == "n" || next == "N" ? "\n" : next)
        }
        return out
    }
}

extension Substring {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst().lowercased() }
}
