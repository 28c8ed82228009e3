import Foundation
import HTTPSurface
import Kernel
import Testing

@testable import Workflows

@Suite struct FormTests {
    static let fields: JSON = [
        ["fieldLabel": "Name", "requiredField": true, "placeholder": "You \"there\""], ["fieldLabel": "Age", "fieldType": "number"],
        ["fieldLabel": "Mail", "fieldType": "email"],
        ["fieldLabel": "Size", "fieldType": "dropdown", "fieldOptions": ["values": [["option": "S"], ["option": "L"]]]],
        [
            "fieldLabel": "Extras", "fieldType": "checkbox", "limitSelection": "range", "minSelections": 1, "maxSelections": 2,
            "fieldOptions": ["values": [["option": "a"], ["option": "b"], ["option": "c"]]]
        ],
        ["fieldLabel": "Way", "fieldType": "radio", "fieldOptions": ["values": [["option": "x"], ["option": "y"]]]],
        ["fieldLabel": "Day", "fieldType": "date", "formatDate": "dd/mm/yyyy"], ["fieldLabel": "More", "fieldType": "textarea"],
        ["fieldType": "hiddenField", "fieldName": "source", "fieldValue": "web"],
        ["fieldType": "html", "html": "<p>Note <a href=\"javascript:x()\">bad</a> <a href=\"https://a.test\">good</a></p>", "elementName": "note"]
    ]

    @Test func `a form is shown in the tenant's name, without scripts`() async throws {
        try await FormRig.run { rig in
            try await rig.publish([.form(Self.fields), .step("Keep", "no_op", 1, [:])])
            let (answer, page) = try await rig.get("/forms/t/ask?Name=Ann&source=mail")
            #expect(answer.status == 200 && answer.header("Content-Security-Policy")?.contains("script-src 'self'") == true)
            #expect(page.contains("Acme &amp; Sons") && page.contains("<h1>Ask &lt;us&gt;</h1>") && page.contains("<b>all</b>"))
            #expect(!page.contains("<script") && !page.contains("javascript:") && page.contains("href=\"https://a.test\""))
            #expect(
                page.contains("<label for=\"field-0\">Name") && page.contains("value=\"Ann\"")
                    && page.contains("placeholder=\"You &quot;there&quot;\""))
            #expect(
                page.contains("<fieldset class=\"ticks\" id=\"field-4\"><legend>Extras")
                    && page.contains("type=\"radio\" name=\"field-5\" value=\"x\""))
            #expect(page.contains("<input type=\"hidden\" name=\"field-8\" value=\"mail\">"))
            let (missing, _) = try await rig.get("/forms/t/other")
            #expect(missing.status == 404)
            let (foreign, _) = try await rig.get("/forms/o/ask")
            #expect(foreign.status == 404)
        }
    }

    @Test func `what is wrong is said beside its field, and what was right stays`() async throws {
        try await FormRig.run { rig in
            try await rig.publish([.form(Self.fields), .step("Keep", "no_op", 1, [:])])
            let body = "field-0=+&field-1=many&field-2=nobody&field-3=XL&field-4=a&field-4=b&field-4=c&field-6=1.2.2026&field-7=kept+%3Ctext%3E"
            let (answer, page) = try await rig.post("/forms/t/ask", body)
            #expect(answer.status == 422 && page.contains("role=\"alert\""))
            for field in [1, 2, 3, 4, 6] { #expect(page.contains("id=\"field-\(field)-fault\""), "\(field)") }
            #expect(page.contains("kept &lt;text&gt;") && page.contains("value=\"many\""))
            let (empty, again) = try await rig.post("/forms/t/ask", "field-7=x")
            #expect(empty.status == 422 && again.contains("id=\"field-0-fault\""))
        }
    }

    @Test func `what was filled in becomes the run's item`() async throws {
        try await FormRig.run { rig in
            try await rig.publish([.form(Self.fields), .step("Keep", "set", 3.4, ["includeOtherFields": true])])
            let body = "field-0=+Ann+&field-1=7&field-2=a%40b.test&field-3=L&field-4=a&field-4=c&field-5=y&field-6=2026-03-10&field-7=t&field-8=mail"
            let (answer, _) = try await rig.post("/forms/t/ask?utm=1", body)
            #expect(answer.status == 303 && rig.location(answer).hasPrefix("/answers/t/"))
            let (shown, page) = try await rig.get(rig.location(answer))
            #expect(shown.status == 200 && page.contains("Your response has been recorded"))
            let item = try await rig.result()[0].json
            let expected: JSONObject = [
                "Name": "Ann", "Age": 7, "Mail": "a@b.test", "Size": "L", "Extras": ["a", "c"], "Way": "y", "Day": "10/03/2026", "More": "t",
                "source": "mail"
            ]
            for (name, value) in expected { #expect(item[name] == value, "\(name)") }
            #expect(
                item["formMode"] == "production" && item["formQueryParameters"] == ["utm": "1"] && item["submittedAt"]?.text?.hasSuffix("Z") == true)
        }
    }

    @Test func `files come with the item`() async throws {
        try await FormRig.run { rig in
            let fields: JSON = [
                ["fieldLabel": "Your CV", "fieldType": "file", "multipleFiles": false, "acceptFileTypes": ".txt, image/*", "requiredField": true],
                ["fieldLabel": "More", "fieldType": "file"]
            ]
            try await rig.publish([.form(fields), .step("Keep", "no_op", 1, [:])])
            let (_, page) = try await rig.get("/forms/t/ask")
            #expect(page.contains("enctype=\"multipart/form-data\"") && page.contains("accept=\".txt, image/*\""))
            func part(_ field: String, _ name: String, _ content: String) -> String {
                "--b\r\nContent-Disposition: form-data; name=\"\(field)\"; filename=\"\(name)\"\r\nContent-Type: text/plain\r\n\r\n\(content)\r\n"
            }
            let type = "multipart/form-data; boundary=b"
            let (refused, _) = try await rig.post("/forms/t/ask", part("field-0", "x.exe", "MZ") + "--b--\r\n", type: type)
            #expect(refused.status == 422)
            let body = part("field-0", "C:\\cv.txt", "line\r\n--xc") + part("field-1", "a.md", "A") + part("field-1", "b.md", "") + "--b--\r\n"
            let (answer, _) = try await rig.post("/forms/t/ask", body, type: type)
            #expect(answer.status == 303)
            let item = try await rig.result()[0]
            #expect(item.json["Your CV"] == ["filename": "cv.txt", "mimetype": "text/plain", "size": 10])
            #expect(item.binary.keys.sorted() == ["More_0", "More_1", "Your_CV"])
            #expect(rig.files.read(item.binary["Your_CV"]!.id) == Array("line\r\n--xc".utf8))
            let (broken, _) = try await rig.post("/forms/t/ask", "--b\r\nnonsense", type: type)
            #expect(broken.status == 400)
        }
    }

    @Test func `a form goes on over pages and ends as its last node says`() async throws {
        try await FormRig.run { rig in
            let second: JSONObject = [
                "formFields": ["values": [["fieldLabel": "Colour of {{ 1 }}", "requiredField": true]]],
                "options": ["formTitle": "=Hi {{ $json.Name }}", "buttonLabel": "Next"]
            ]
            let end: JSONObject = ["operation": "completion", "completionTitle": "=Thanks {{ $('Ask').item.json.Name }}", "completionMessage": "Bye"]
            try await rig.publish([.form([["fieldLabel": "Name"]]), .step("Page", "form", 1, second), .step("End", "form", 1, end)])
            let (first, _) = try await rig.post("/forms/t/ask", "field-0=Ann")
            let address = rig.location(first)
            let (shown, page) = try await rig.get(address)
            #expect(shown.status == 200 && page.contains("<h1>Hi Ann</h1>") && page.contains(">Next</button>"))
            let (faulty, _) = try await rig.post(address, "")
            #expect(faulty.status == 422)
            let (next, _) = try await rig.post(address, "field-0=red")
            #expect(next.status == 303 && rig.location(next) == address)
            let (_, last) = try await rig.get(address)
            #expect(last.contains("<h1>Thanks Ann</h1>") && last.contains("Bye"))
            let item = try await rig.result()[0].json
            #expect(item["Colour of {{ 1 }}"] == "red" && item["formMode"] == "production")
            let (again, closed) = try await rig.post(address, "field-0=blue")
            #expect(again.status == 303 && closed.isEmpty)
        }
    }

    @Test func `the end may be a file, another address, or the workflow's end`() async throws {
        try await FormRig.run { rig in
            let fields: JSON = [["fieldLabel": "Doc", "fieldType": "file"]]
            let end: JSONObject = ["operation": "completion", "respondWith": "returnBinary", "completionTitle": "Here", "inputDataFieldName": "Doc"]
            try await rig.publish([.form(fields), .step("End", "form", 1, end)])
            let body = "--b\r\nContent-Disposition: form-data; name=\"field-0\"; filename=\"d.txt\"\r\n\r\nDOC\r\n--b--\r\n"
            let (answer, _) = try await rig.post("/forms/t/ask", body, type: "multipart/form-data; boundary=b")
            let address = rig.location(answer)
            let (_, page) = try await rig.get(address)
            #expect(page.contains("<h1>Here</h1>") && page.contains("href=\"\(address)/file\""))
            let (file, text) = try await rig.get(address + "/file")
            #expect(text == "DOC" && file.header("Content-Disposition") == "attachment; filename=\"d.txt\"")
        }
        try await FormRig.run { rig in
            let options: JSON = [
                "path": "ask", "respondWithOptions": ["values": ["respondWith": "redirect", "redirectUrl": "https://a.test/x?y=1&z"]]
            ]
            try await rig.publish([
                .form([["fieldLabel": "A"]], ["options": options, "responseMode": "lastNode"]),
                .step("Stop", "stop_and_error", 1, ["errorMessage": "no"])
            ])
            let (answer, _) = try await rig.post("/forms/t/ask", "field-0=x")
            let (failed, page) = try await rig.get(rig.location(answer))
            #expect(failed.status == 500 && page.contains("Something went wrong") && !page.contains(">no<"))
        }
        try await FormRig.run { rig in
            let options: JSON = [
                "path": "ask", "respondWithOptions": ["values": ["respondWith": "redirect", "redirectUrl": "https://a.test/x?y=1&z"]]
            ]
            try await rig.publish([.form([["fieldLabel": "A"]], ["options": options]), .step("Keep", "no_op", 1, [:])])
            let (answer, _) = try await rig.post("/forms/t/ask", "field-0=x")
            let (shown, page) = try await rig.get(rig.location(answer))
            #expect(shown.header("Refresh") == "0; url=https://a.test/x?y=1&z" && page.contains("href=\"https://a.test/x?y=1&amp;z\""))
        }
    }

    @Test func `a form may be for those who know its password, and not for bots`() async throws {
        try await FormRig.run { rig in
            let me = rig.harness.principal()
            let door = try await rig.harness.credentials.create(type: "httpBasicAuth", name: "Door", fields: ["user": "u", "password": "p"], by: me)
            var form = WorkflowNode.form([["fieldLabel": "A"]], ["authentication": "basicAuth", "options": ["path": "ask", "ignoreBots": true]])
            form.credentials["httpBasicAuth"] = CredentialReference(id: door.id.description, name: "Door")
            try await rig.publish([form, .step("Keep", "no_op", 1, [:])])
            let (bare, _) = try await rig.get("/forms/t/ask")
            #expect(bare.status == 401 && bare.header("WWW-Authenticate")?.hasPrefix("Basic") == true)
            let pair = "Basic " + Data("u:p".utf8).base64EncodedString()
            let (open, _) = try await rig.get("/forms/t/ask", headers: [("Authorization", pair)])
            #expect(open.status == 200)
            let (bot, _) = try await rig.get("/forms/t/ask", headers: [("Authorization", pair), ("User-Agent", "Googlebot/2.1")])
            #expect(bot.status == 403)
            let (closed, _) = try await rig.post("/forms/t/ask", "field-0=x")
            #expect(closed.status == 401)
        }
    }
}
