internal import Dispatch
internal import Kernel
internal import Synchronization

/// Carries a script's questions that take time from the thread that waits at its process to the task that answers them.
final class HelperDesk: Sendable {
    /// What the script is told where nobody answers any more.
    private static let closed: JSON = ["error": ["code": "cancelled", "message": "the step was stopped"]]

    private struct Question: Sendable {
        let text: JSON
        let reply: Reply
    }

    private final class Reply: Sendable {
        private let answer = Mutex<JSON?>(nil)
        private let given = DispatchSemaphore(value: 0)

        func give(_ value: JSON) {
            let isFirst = answer.withLock { answer in
                defer { answer = answer ?? value }
                return answer == nil
            }
            if isFirst { given.signal() }
        }

        func wait() -> JSON {
            given.wait()
            return answer.withLock { $0 } ?? HelperDesk.closed
        }
    }

    private let questions: AsyncStream<Question>
    private let line: AsyncStream<Question>.Continuation
    private let state = Mutex<(waiting: Reply?, isClosed: Bool)>((nil, false))

    init() { (questions, line) = AsyncStream.makeStream() }

    /// The whole answer, `{"value": …}` or `{"error": {code, message}}`. Blocks the thread until there is one.
    func ask(_ text: JSON) -> JSON {
        let reply = Reply()
        let isClosed = state.withLock { state in
            state.waiting = reply
            return state.isClosed
        }
        guard !isClosed else { return Self.closed }
        line.yield(Question(text: text, reply: reply))
        return reply.wait()
    }

    /// Answers until it is closed or its task is cancelled.
    func serve(_ helper: ScriptHelper) async {
        for await question in questions {
            do { question.reply.give(["value": try await helper(question.text)]) } catch let error as ScopeError {
                question.reply.give(["error": ["code": .string(error.code), "message": .string(error.message)]])
            } catch {
                question.reply.give(["error": ["code": "internal", "message": .string("the request failed: \(error)")]])
            }
        }
        close()
    }

    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.waiting
        }
        line.finish()
        waiting?.give(Self.closed)
    }
}
