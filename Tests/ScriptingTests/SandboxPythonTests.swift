import Foundation
import Kernel
import Scripting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(3)))
struct SandboxPythonTests {
    let scope = SandboxScope(
        [["json": ["a": 1, "tags": ["x"]], "binary": ["file": ["id": "f1"]]], ["json": ["a": 2]]],
        nodes: ["Before": [["json": ["q": 8]], ["json": ["q": 9]]]])

    func run(
        _ source: String, _ language: Script.Language = .python, _ mode: Script.Mode = .allItems, global: JSON = [:], sandbox: Sandbox = .shared,
        limit: Duration = .seconds(60)
    ) async throws -> ScriptResult {
        let script = Script(source: source, language: language, mode: mode, staticGlobal: global, timeLimit: limit)
        return try await sandbox.run(script, tenant: .test(20), scope: scope)
    }

    func fault(
        _ source: String, _ language: Script.Language = .python, _ mode: Script.Mode = .allItems, sandbox: Sandbox = .shared,
        limit: Duration = .seconds(60)
    ) async -> ScriptError? {
        do { _ = try await run(source, language, mode, sandbox: sandbox, limit: limit); return nil } catch { return error as? ScriptError }
    }

    /// What a script that returns one dictionary gives.
    func value(_ source: String, _ name: String = "x") async throws -> JSON? { try await run(source).items.first?["json"]?[name] }

    @Test func `items have their members as attributes and as keys`() async throws {
        let source = "for item in _input.all():\n  item.json.b = item['json']['a'] + item.json.a\nreturn _input.all()"
        let items = try await run(source).items
        #expect(items.map { $0["json"]?["b"] } == [2, 4])
        #expect(items[0]["binary"] == ["file": ["id": "f1"]], "files go on")
        #expect(try await value("return {'x': type(_input.first().json.to_py()).__name__}") == "dict")
    }

    @Test func `each mode makes items`() async throws {
        #expect(
            try await run("return {'b': _json.a}", .python, .eachItem).items == [
                ["json": ["b": 1], "pairedItem": ["item": 0]], ["json": ["b": 2], "pairedItem": ["item": 1]]
            ])
        #expect(
            try await run("return None if _json.a == 1 else _input.item", .python, .eachItem).items == [
                ["json": ["a": 2], "pairedItem": ["item": 1]]
            ])
        #expect(try await run("return [{'x': 1}, {'x': 2}]").items == [["json": ["x": 1]], ["json": ["x": 2]]])
        #expect(try await run("return {'x': 1}").items == [["json": ["x": 1]]])
        #expect(try await run("return [{'json': {'x': 1}, 'pairedItem': 1}]").items == [["json": ["x": 1], "pairedItem": 1]])
    }

    @Test func `the native dialect has plain dictionaries and two names`() async throws {
        let all = try await run("for item in _items:\n  item['json']['z'] = type(item) is dict\nreturn _items", .pythonNative).items
        #expect(all.map { $0["json"]?["z"] } == [true, true])
        let each = try await run("_item['json']['z'] = 1\nreturn _item", .pythonNative, .eachItem).items
        #expect(each.map { $0["pairedItem"]?["item"] } == [0, 1])
        #expect(try await run("pass", .pythonNative).items == [])
        #expect(await fault("return _input.all()", .pythonNative)?.message == "NameError: name '_input' is not defined")
        #expect(await fault("return _items", .pythonNative, .eachItem)?.message == "NameError: name '_items' is not defined")
    }

    @Test func `the run can be read`() async throws {
        #expect(try await value("return {'x': [i.json.q for i in _('Before').all()] + [_('Before').first().json.q]}") == [8, 9, 8])
        #expect(try await value("return {'x': [_node['Before'].json.q, _items('Before')[1].json.q, _('Before').item.json.q]}") == [8, 9, 8])
        #expect(
            try await value("return {'x': [_workflow.name, _execution.id, _prevNode.name, _vars.region, _runIndex, _pageCount]}")
                == ["Orders", "e1", "Before", "eu", 2, 3])
        #expect(try await value("return {'x': [_now.toISO(), _today.toISODate()]}") == ["2026-03-01T13:30:15.250+01:00", "2026-03-01"])
        #expect(try await value("return {'x': _input.context.currentRunIndex}") == 4)
        #expect(await fault("return _('Nope').all()") == ScriptError(.data, "there is no node \"Nope\"", line: 1))
        #expect(await fault("return _env.HOME")?.kind == .data)
    }

    @Test func `nothing is asked for that the script does not name`() async throws {
        let scope = SandboxScope()
        _ = try await Sandbox.shared.run(Script(source: "return {'x': 1}", language: .python, mode: .allItems), tenant: .test(20), scope: scope)
        #expect(scope.asked.withLock { $0 } == [])
    }

    @Test func `the usual modules are there`() async throws {
        let source = """
            import base64, calendar, collections, copy, csv, decimal, difflib, fractions, functools, hashlib, hmac, html, io, itertools, json, math
            import operator, random, re, statistics, string, textwrap, time, typing, unicodedata, urllib.parse, uuid, xml.etree.ElementTree, zlib
            from dataclasses import dataclass
            from datetime import datetime, timedelta
            from email.utils import parsedate_to_datetime
            from zoneinfo import ZoneInfo
            @dataclass
            class Point:
                x: int
            text = io.StringIO()
            csv.writer(text).writerow([1, 'zwei'])
            return {
                'csv': text.getvalue(), 'digest': hashlib.md5(b'x').hexdigest()[:4], 'money': decimal.Decimal('1.10') + 1,
                'quoted': urllib.parse.quote('a b'), 'mean': statistics.mean([1, 2]), 'parsed': datetime.strptime('2024-02-01', '%Y-%m-%d'),
                'there': datetime(2024, 7, 1, tzinfo=ZoneInfo('America/New_York')),
                'mail': parsedate_to_datetime('Mon, 02 Mar 2026 10:00:00 +0000').day,
                'set': {1}, 'point': Point(3), 'xml': xml.etree.ElementTree.fromstring('<a b="c"/>').get('b'), 'wide': 'ä'.encode('cp1252').hex(),
                'nan': math.nan, 'big': 2 ** 60, 'whole': 5.0, 'is': isinstance(datetime.now(), datetime)
            }
            """
        #expect(
            try await run(source).items == [
                [
                    "json": [
                        "csv": "1,zwei\r\n", "digest": "9dd4", "money": 2.1, "quoted": "a%20b", "mean": 1.5, "parsed": "2024-02-01T00:00:00",
                        "there": "2024-07-01T00:00:00-04:00", "mail": 2, "set": [1], "point": ["x": 3], "xml": "c", "wide": "e4", "nan": .null,
                        "big": "1152921504606846976", "whole": 5, "is": true
                    ]
                ]
            ])
        let missing = try #require(await fault("import pandas"))
        #expect(missing.message.contains("the module 'pandas' cannot be imported here"))
        #expect(missing.line == 1)
    }

    @Test func `JMESPath is Debian's`() async throws {
        #expect(try await value("return {'x': _jmespath({'a': [{'b': 1}, {'b': 2}]}, 'a[*].b')}") == [1, 2])
    }

    @Test func `a repeat sees the same time and the same chance`() async throws {
        let source = """
            import datetime, os, random, time, uuid
            return {'x': [str(datetime.datetime.now()), str(datetime.date.today()), time.time(), random.random(), str(uuid.uuid4()),
                          os.urandom(2).hex(), list({'a', 'b', 'c', 'd'})]}
            """
        let first = try #require(await value(source)?.array)
        #expect(first[0] == "2026-03-01 12:30:15.250000")
        #expect(first[2] == 1_772_368_215.25)
        #expect(try await value(source)?.array == first)
    }

    @Test func `what is printed is logged`() async throws {
        let source = "import sys\nprint('a', 1, sep='-')\nprint('two\\nlines', end='')\nprint(' more', file=sys.stderr)\nreturn []"
        #expect(try await run(source).logs == ["a-1", "two", "lines more"])
    }

    @Test func `static data comes back when it was changed`() async throws {
        let result = try await run("s = _getWorkflowStaticData('global')\ns.count += 1\nreturn []", global: ["count": 4])
        #expect(result.staticGlobal == ["count": 5])
        #expect(result.staticNode == nil)
    }

    @Test func `errors name the line of the script`() async throws {
        #expect(await fault("a = 1\nreturn missing.x") == ScriptError(.runtime, "NameError: name 'missing' is not defined", line: 2))
        #expect(await fault("def f(n):\n  return n.x\n\nfor i in range(3):\n  f(i)")?.line == 2)
        let syntax = await fault("a = 1\nreturn ((")
        #expect(syntax?.kind == .syntax)
        #expect(syntax?.line == 2)
        #expect(try await value("x = '''a\n b'''\nreturn {'x': x}") == "a\n b", "texts over several lines keep their spaces")
    }

    @Test func `a wrong return value is told`() async throws {
        #expect(await fault("return 5")?.message.contains("but returned a value of the type int") == true)
        #expect(await fault("x = 1")?.message.contains("but returned nothing") == true)
        #expect(await fault("return [{'json': 5}]")?.message.contains("\"json\" must be a dictionary") == true)
        #expect(await fault("return [{'json': {}, 'other': 1}]")?.message.contains("unknown key \"other\"") == true)
        #expect(await fault("return [{}]", .python, .eachItem)?.message.contains("returned a list") == true)
        #expect(await fault("return {'x': b''}")?.message.contains("base64.b64encode") == true)
        #expect(await fault("a = {}\na['a'] = a\nreturn a")?.message.contains("holds itself") == true)
    }
}
