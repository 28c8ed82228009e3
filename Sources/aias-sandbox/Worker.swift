internal import Glibc
internal import Kernel

/// Answers the client's requests one after another until it closes the socket.
struct Worker {
    let channel: Channel
    let watchdog: Watchdog
    let engine: Engine

    /// Walls, engine, files closed, hello, then requests. The first thread beside this one starts after the walls stand.
    static func serve(residentBytesMaximum: Int) -> Never {
        var walls = Walls.raise()
        let channel = Channel(descriptor: Wire.descriptor)
        guard walls.suffice else { refuse(walls, channel) }
        let watchdog = Watchdog(residentBytesMaximum: residentBytesMaximum)
        let engine = Engine(channel: channel)
        engine.prepare()
        _ = engine.answer("warmUp", [], limitSeconds: 10)
        Threads.start(stackBytes: 256 << 10) { watchdog.watch() }
        walls.closeFiles()
        guard walls.suffice else { refuse(walls, channel) }
        channel.send(.hello, walls.report.bytes)
        engine.prepare()
        engine.waits = { begins in begins ? watchdog.pause() : watchdog.resume() }
        Worker(channel: channel, watchdog: watchdog, engine: engine).answerRequests()
    }

    private static func refuse(_ walls: Walls, _ channel: Channel) -> Never {
        channel.send(.hello, walls.report.bytes)
        Wire.Exit.noWalls.leave()
    }

    private func answerRequests() -> Never {
        while let (kind, payload) = channel.receive() {
            let verb: String
            switch kind {
            case .evaluate: verb = "evaluate"
            case .run: verb = "run"
            default: Wire.Exit.protocolFault.leave()
            }
            guard payload.count > 4 else { Wire.Exit.protocolFault.leave() }
            let limitSeconds = Double(payload[..<4].reduce(0) { $0 << 8 | Int($1) }) / 1000
            watchdog.begin(limitSeconds: limitSeconds)
            let answer = engine.answer(verb, Array(payload[4...]), limitSeconds: limitSeconds)
            watchdog.end()
            channel.send(.result, answer)
            engine.prepare()
        }
        _exit(0)
    }
}

extension Walls {
    /// `{"walls": […], "missing": […], "suffice": true}`
    var report: JSON {
        ["walls": .array(standing.map { .string($0) }), "missing": .array(missing.map { .string($0) }), "suffice": .bool(suffice)]
    }
}

/// Threads of a chosen stack size; nothing else in this process starts one, the engine apart.
enum Threads {
    static func start(stackBytes: Int, _ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        precondition(status == 0, "a thread cannot be started")
    }
}
