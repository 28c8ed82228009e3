internal import Kernel
internal import NIOCore
internal import NIOHTTPTypes
internal import Telemetry

/// Counts a connection while it is open, and ends it where its network has too many, where a request's body takes too long, a byte now and then, and
/// where nobody takes what is written. A head that does not come ends it by the idle time.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private let connections: Connections
    private var entry: Connections.Entry?
    private var isReadingBody = false
    private var bodyEnd: Scheduled<Void>?
    private var nextLook: Scheduled<Void>?

    init(_ connections: Connections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { enter(context) } }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        enter(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isReadingBody = true
        case .body: break
        case .end:
            isReadingBody = false
            bodyEnd?.cancel()
            bodyEnd = nil
        }
        context.fireChannelRead(data)
    }

    /// Most requests come whole, and need no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isReadingBody, bodyEnd == nil {
            let channel = context.channel
            bodyEnd = context.eventLoop.scheduleTask(in: TimeAmount(Limits.wholeBodyTime)) { channel.close(mode: .all, promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            nextLook?.cancel()
            nextLook = nil
        } else if nextLook == nil {
            look(context, after: pendingBytes(context))
        }
        context.fireChannelWritabilityChanged()
    }

    private func enter(_ context: ChannelHandlerContext) {
        guard entry == nil else { return }
        Metrics.shared.add(.httpConnections, 1)
        entry = connections.enter(context.channel.remoteAddress?.ipAddress)
        if entry == .refused { context.close(promise: nil) }
    }

    private func leave() {
        bodyEnd?.cancel()
        nextLook?.cancel()
        (bodyEnd, nextLook) = (nil, nil)
        guard let entry else { return }
        self.entry = nil
        Metrics.shared.add(.httpConnections, -1)
        if case .taken(let network?) = entry { connections.leave(network) }
    }

    /// Looks again after the idle time whether anything was taken of what waits to be sent.
    private func look(_ context: ChannelHandlerContext, after pending: Int) {
        let bound = NIOLoopBound((watch: self, context: context), eventLoop: context.eventLoop)
        nextLook = context.eventLoop.scheduleTask(in: TimeAmount(Limits.idleTime)) {
            let (watch, context) = bound.value
            watch.nextLook = nil
            let left = watch.pendingBytes(context)
            if left < pending { watch.look(context, after: left) } else { context.channel.close(mode: .all, promise: nil) }
        }
    }

    private func pendingBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0
    }
}
