internal import Crypto
internal import Foundation
internal import Kernel

/// An event as a calendar file (RFC 5545).
struct CalendarEvent: Sendable {
    let step: StepContext
    let item: Int

    static func parameters(when showWhen: Parameter.ShowWhen) -> [Parameter] {
        let person = [
            Parameter("name", .string, "Name", default: "", required: true), Parameter("email", .string, "E-mail", default: "", required: true)
        ]
        return [
            Parameter("title", .string, "Title", default: "", showWhen: showWhen),
            Parameter("start", .dateTime, "Start", default: "", required: true, showWhen: showWhen),
            Parameter("end", .dateTime, "End", default: "", required: true, showWhen: showWhen),
            Parameter("allDay", .boolean, "All day", default: false, showWhen: showWhen), FileParameters.file(when: showWhen),
            Parameter(
                "additionalFields", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter(
                        "attendeesUi", .collection, "Attendees",
                        fields: [
                            Parameter(
                                "attendeeValues", .list, "Attendees",
                                fields: person + [Parameter("rsvp", .boolean, "Asks for an answer", default: false)])
                        ]),
                    Parameter("busyStatus", .options, "Busy status", options: [.init("BUSY", "Busy"), .init("TENTATIVE", "Tentative")]),
                    Parameter("calName", .string, "Calendar"), Parameter("description", .text, "Description"),
                    Parameter("fileName", .string, "File name"),
                    Parameter(
                        "geolocationUi", .collection, "Position",
                        fields: [
                            Parameter(
                                "geolocationValues", .collection, "Position",
                                fields: [Parameter("lat", .string, "Latitude"), Parameter("lon", .string, "Longitude")])
                        ]),
                    Parameter("location", .string, "Place"), Parameter("recurrenceRule", .string, "Recurrence rule"),
                    Parameter(
                        "organizerUi", .collection, "Organiser", fields: [Parameter("organizerValues", .collection, "Organiser", fields: person)]),
                    Parameter("sequence", .number, "Sequence", default: 0),
                    Parameter(
                        "status", .options, "Status", default: "CONFIRMED",
                        options: [.init("CONFIRMED", "Confirmed"), .init("CANCELLED", "Cancelled"), .init("TENTATIVE", "Tentative")]),
                    Parameter("uid", .string, "UID"), Parameter("url", .string, "URL")
                ], showWhen: showWhen)
        ]
    }

    func file() async throws -> Item {
        let fields = try await step.value("additionalFields", item: item)?.object ?? [:]
        let isAllDay = try await step.flag("allDay", item: item)
        let start = try await time("start")
        var end = try await time("end")
        if isAllDay { end = end + .seconds(86_400) }
        var lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "CALSCALE:GREGORIAN", "PRODID:-//AIAS//calendar", "METHOD:PUBLISH"]
        if let name = filled(fields, "calName") { lines.append("X-WR-CALNAME:\(Self.escaped(name))") }
        lines += ["X-PUBLISHED-TTL:PT1H", "BEGIN:VEVENT", "UID:\(filled(fields, "uid").map(Self.bare) ?? uid)"]
        lines.append("SUMMARY:\(Self.escaped(try await step.text("title", item: item)))")
        lines.append("DTSTAMP:\(Self.stamp(step.now))")
        lines.append(isAllDay ? "DTSTART;VALUE=DATE:\(Self.stamp(start).prefix(8))" : "DTSTART:\(Self.stamp(start))")
        lines.append(isAllDay ? "DTEND;VALUE=DATE:\(Self.stamp(end).prefix(8))" : "DTEND:\(Self.stamp(end))")
        if let sequence = fields["sequence"]?.coercedNumber, sequence.isFinite, let number = sequence.whole(in: 0...Int(Int32.max)) {
            lines.append("SEQUENCE:\(number)")
        }
        for (name, member) in [("DESCRIPTION", "description"), ("LOCATION", "location")] {
            if let text = filled(fields, member) { lines.append("\(name):\(Self.escaped(text))") }
        }
        for (name, member) in [("URL", "url"), ("STATUS", "status"), ("RRULE", "recurrenceRule"), ("X-MICROSOFT-CDO-BUSYSTATUS", "busyStatus")] {
            if let text = filled(fields, member) { lines.append("\(name):\(Self.bare(text))") }
        }
        if let place = fields["geolocationUi"]?["geolocationValues"]?.object {
            lines.append("GEO:\(Self.bare(place["lat"]?.displayText ?? ""));\(Self.bare(place["lon"]?.displayText ?? ""))")
        }
        if let organizer = fields["organizerUi"]?["organizerValues"] { lines.append("ORGANIZER;\(Self.person(organizer))") }
        for attendee in fields["attendeesUi"]?["attendeeValues"]?.array ?? [] {
            lines.append("ATTENDEE;RSVP=\(attendee["rsvp"]?.isTruthy == true ? "TRUE" : "FALSE");\(Self.person(attendee))")
        }
        lines += ["END:VEVENT", "END:VCALENDAR"]
        let text = lines.map(Self.folded).joined(separator: "\r\n") + "\r\n"
        let name = filled(fields, "fileName") ?? "event.ics"
        let stored = try await step.store(Array(text.utf8), name: name, type: "text/calendar")
        return Item(json: [:], binary: [try await step.text("binaryPropertyName", item: item, default: "data"): stored])
    }

    /// The same for every repeat of the step.
    private var uid: String { String(SHA256.hash(data: Data(step.idempotencyKey(item: item).utf8)).description.suffix(32)) + "@aias" }

    private func time(_ name: String) async throws -> Timestamp {
        let value = try await step.value(name, item: item) ?? .null
        guard let time = LooseTime.parse(value, timeZone: step.timeZone) else {
            throw StepFailure.invalid(name, "'\(value.displayText)' is no time.", item: item)
        }
        return time
    }

    private func filled(_ fields: JSONObject, _ name: String) -> String? {
        fields[name].map(\.displayText).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `20260310T120000Z`
    private static func stamp(_ time: Timestamp) -> String {
        String(time.description.prefix(19)).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func person(_ value: JSON) -> String {
        let name = bare(value["name"]?.displayText ?? "").filter { !"\";:,".contains($0) }
        return "CN=\"\(name)\":mailto:\(bare(value["email"]?.displayText ?? ""))"
    }

    /// Text values (RFC 5545, 3.3.11).
    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing(";", with: "\\;").replacing(",", with: "\\,").replacing("\r\n", with: "\\n")
            .replacing("\n", with: "\\n")
    }

    /// No line of its own may begin inside a value.
    private static func bare(_ text: String) -> String { text.filter { !$0.isNewline } }

    /// Lines of at most 75 bytes, continued with a space (RFC 5545, 3.1).
    private static func folded(_ line: String) -> String {
        var out = ""
        var width = 0
        for character in line {
            let bytes = String(character).utf8.count
            if width + bytes > 75 {
                out += "\r\n "
                width = 1
            }
            out.append(character)
            width += bytes
        }
        return out
    }
}
