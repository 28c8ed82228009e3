import Kernel
import Scripting
import Testing

@Suite struct `Expression roots` {
    @Test(arguments: Case.roots)
    func `answer`(_ given: Case) throws {
        #expect(try native(given.text) == .value(given.value))
    }

    @Test(arguments: [
        "$json.a.missing", "$json.nothing.x", "$binary.data.mimeType", "$json.missing?.x.y.z", "$vars.none", "$fromAI('none')",
        "$json.tags[9]", "$json.name.nope", "$json.missing.trim()", "$json.age.nope.nope", "$json.missing[0]", "$('Get').item.json.none",
    ])
    func `that are not there are undefined`(_ source: String) throws {
        #expect(try native(source) == .value(.undefined))
    }

    @Test func `never show the machine's environment`() throws {
        #expect(throws: ScriptError(.data, "the environment cannot be read here")) { try native("$env.HOME") }
    }

    @Test func `follow the item`() throws {
        #expect(try native("$json.name", itemIndex: 1) == .value(.json("Grace")))
        #expect(try native("$binary.data.mimeType", itemIndex: 1) == .value(.json("image/png")))
        #expect(try native("$('Get').item.json.id", itemIndex: 1) == .value(.json(8)))
    }
}

extension Case {
    static let roots: [Case] = [
        Case("$json.a.b.c", "deep"), Case("$json['odd key']", 1), Case("$json[\"a\"]['b'].c", "deep"), Case("$json.tags[1]", "y"),
        Case("$json.tags.length", 3), Case("$json.name.length", 3), Case("$json?.a?.b", ["c": "deep"]), Case("$data.name", "Ada"),
        Case("$('Get').item.json.id", 7), Case("$('Get').first().json.id", 7), Case("$('Get').last().json.id", 8),
        Case("$('Get').all().length", 2), Case("$('Get').all().map(i => i.json.id)", [7, 8]), Case("$(\"My Node\").item.json.x", "first"),
        Case("$('Get').itemMatching(1).json.id", 8), Case("$('Get').isExecuted", true), Case("$('Never').isExecuted", false),
        Case("$('Get').all()[1].json.id", 8), Case("$node['My Node'].json.x", "first"), Case("$node.Get.json.list[2]", 3),
        Case("$node['Get'].data.id", 7), Case("$items('Get')[1].json.id", 8), Case("$items().length", 2), Case("$item(1).$json.name", "Grace"),
        Case("$item(1).$node['Get'].json.id", 8), Case("$input.item.json.name", "Ada"), Case("$input.first().json.name", "Ada"),
        Case("$input.last().json.name", "Grace"), Case("$input.all().length", 2), Case("$input.params.limit", 5),
        Case("$input.context.noItemsLeft", false), Case("$prevNode.name", "Get"), Case("$itemIndex", 0), Case("$runIndex", 2), Case("$mode", "webhook"),
        Case("$workflow.name", "Flow"), Case("$execution.mode", "test"), Case("$vars.region", "eu"), Case("$parameter.url", "Ada/x"),
        Case("$parameter['limit']", 5), Case("$rawParameter.url", "={{ $json.name }}/x"), Case("$response.body.next", "p2"), Case("$pageCount + 1", 4),
        Case("$fromAI('city', 'the city', 'string')", "Rome"), Case("$fromAI('lang', '', 'string', 'en')", "en"), Case("$now", "2024-01-31T12:34:56.789Z"),
        Case("$today", "2024-01-31T00:00:00.000Z"), Case("$if($json.age > 30, 'old', 'young')", "old"), Case("$if(false, 1)", false),
        Case("$ifEmpty($json.empty, 'none')", "none"), Case("$ifEmpty($json.name, 'none')", "Ada"), Case("$ifEmpty([], 1)", 1),
        Case("$ifEmpty({}, 1)", 1), Case("$ifEmpty(0, 1)", 0), Case("$min(3, 1, 2)", 1), Case("$max(3, 1, 2)", 3), Case("$average(1, 2, 6)", 3),
        Case("$not(0)", true), Case("$binary", [:]),
    ]
}
