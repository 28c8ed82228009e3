internal import CJavaScriptCore
internal import Glibc

/// JavaScriptCore with the prelude. Each request is answered in a context of its own, so that nothing a script leaves behind
/// is seen by the next one; the context for the next request is made while the client reads the last answer.
final class Engine {
    private let group: JSContextGroupRef
    private var context: JSGlobalContextRef?
    /// The prelude's door: `{evaluate(text), run(text), settle()}`.
    private var door: JSObjectRef?
    private let sources: [(name: String, text: JSStringRef)]
    private let channel: Channel
    /// Told when it begins to wait for the client's answer to a question, and when it has it.
    var waits: (_ begins: Bool) -> Void = { _ in }

    /// What the time limit's callback and `ask` see; C callbacks capture nothing.
    nonisolated(unsafe) private static var current: Engine?
    private var timedOut = false

    init(channel: Channel) {
        self.channel = channel
        group = JSContextGroupCreate()
        sources = Prelude.files.map { ($0.name, Engine.string($0.bytes)) }
        Engine.current = self
    }

    /// Makes the context for the next request. A fault here is one of the prelude itself.
    func prepare() {
        release()
        let fresh = JSGlobalContextCreateInGroup(group, nil)!
        context = fresh
        let global = JSContextGetGlobalObject(fresh)
        let name = Engine.string("__ask")
        defer { JSStringRelease(name) }
        let ask = JSObjectMakeFunctionWithCallback(fresh, name) { context, _, _, count, arguments, exception in
            Engine.current!.ask(context!, count == 1 ? arguments![0] : nil, exception)
        }
        JSObjectSetProperty(fresh, global, name, ask, JSPropertyAttributes(kJSPropertyAttributeNone), nil)
        let syntaxName = Engine.string("__syntax")
        defer { JSStringRelease(syntaxName) }
        let syntax = JSObjectMakeFunctionWithCallback(fresh, syntaxName) { context, _, _, count, arguments, _ in
            Engine.syntaxError(context!, count == 1 ? arguments![0] : nil)
        }
        JSObjectSetProperty(fresh, global, syntaxName, syntax, JSPropertyAttributes(kJSPropertyAttributeNone), nil)
        var value: JSValueRef?
        for source in sources {
            var fault: JSValueRef?
            let url = Engine.string("aias:\(source.name)")
            defer { JSStringRelease(url) }
            value = JSEvaluateScript(fresh, source.text, nil, url, 1, &fault)
            if let fault { fatal("prelude \(source.name): \(String(decoding: text(fault), as: UTF8.self))") }
        }
        door = JSValueToObject(fresh, value, nil)
        JSValueProtect(fresh, door)
    }

    /// Answers one request: JSON in, JSON out. `limit` is processor time of one entry to the engine.
    func answer(_ verb: String, _ payload: [UInt8], limitSeconds: Double) -> [UInt8] {
        timedOut = false
        JSContextGroupSetExecutionTimeLimit(
            group, limitSeconds,
            { _, _ in
                Engine.current!.timedOut = true
                return true
            }, nil)
        let argument = Engine.string(payload)
        defer { JSStringRelease(argument) }
        var result = call(verb, [JSValueMakeString(context, argument)])
        while !timedOut, let value = result, JSValueIsUndefined(context, value) { result = call("settle", []) }
        if timedOut { Wire.Exit.timeLimit.leave() }
        guard let result else { return Array(#"{"fault":{"kind":"runtime","message":"the script ended without an answer"}}"#.utf8) }
        return text(result)
    }

    private func call(_ verb: String, _ arguments: [JSValueRef?]) -> JSValueRef? {
        let name = Engine.string(verb)
        defer { JSStringRelease(name) }
        let function = JSValueToObject(context, JSObjectGetProperty(context, door, name, nil), nil)
        var fault: JSValueRef?
        let result = JSObjectCallAsFunction(context, function, nil, arguments.count, arguments, &fault)
        return fault == nil ? result : nil
    }

    /// Data that the script asks for: a JSON text out, a JSON text in.
    private func ask(_ context: JSContextRef, _ argument: JSValueRef?, _ exception: UnsafeMutablePointer<JSValueRef?>?) -> JSValueRef? {
        guard let argument else { return JSValueMakeUndefined(context) }
        waits(true)
        channel.send(.ask, text(argument))
        guard let (kind, payload) = channel.receive() else { exit(0) }
        guard kind == .answer else { Wire.Exit.protocolFault.leave() }
        waits(false)
        let answer = Engine.string(payload)
        defer { JSStringRelease(answer) }
        return JSValueMakeString(context, answer)
    }

    /// The SyntaxError of a text with its place, undefined where there is none: `eval`'s own errors name no line.
    private static func syntaxError(_ context: JSContextRef, _ source: JSValueRef?) -> JSValueRef? {
        guard let source, let text = JSValueToStringCopy(context, source, nil) else { return JSValueMakeUndefined(context) }
        defer { JSStringRelease(text) }
        var fault: JSValueRef?
        _ = JSCheckScriptSyntax(context, text, nil, 1, &fault)
        return fault ?? JSValueMakeUndefined(context)
    }

    private func release() {
        guard let context else { return }
        JSValueUnprotect(context, door)
        JSGlobalContextRelease(context)
    }

    private func text(_ value: JSValueRef) -> [UInt8] {
        guard let string = JSValueToStringCopy(context, value, nil) else { return [] }
        defer { JSStringRelease(string) }
        let capacity = JSStringGetMaximumUTF8CStringSize(string)
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { max(1, JSStringGetUTF8CString(string, $0.baseAddress, capacity)) - 1 }
        }
    }

    private func fatal(_ message: String) -> Never {
        _ = (message + "\n").withCString { write(2, $0, strlen($0)) }
        Wire.Exit.protocolFault.leave()
    }

    private static func string(_ bytes: [UInt8]) -> JSStringRef {
        (bytes + [0]).withUnsafeBufferPointer {
            $0.withMemoryRebound(to: CChar.self) { JSStringCreateWithUTF8CString($0.baseAddress) }
        }
    }

    private static func string(_ text: String) -> JSStringRef { JSStringCreateWithUTF8CString(text) }
}
