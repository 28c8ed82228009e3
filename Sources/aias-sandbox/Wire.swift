/// The frames between the client (`Scripting/Sandbox/SandboxWire.swift`) and this process, over one stream socket:
/// 4 bytes length of what follows (big-endian), 1 byte version, 1 byte kind, then JSON in UTF-8.
enum Wire {
    static let version: UInt8 = 1
    /// The socket's descriptor in this process.
    static let descriptor: Int32 = 3
    /// Bytes of one frame's JSON.
    static let payloadBytesMaximum = 64 << 20

    enum Kind: UInt8 {
        /// Worker to client, first: the walls that stand, or why there are none.
        case hello = 1
        /// Client to worker: blocks of expressions.
        case evaluate = 2
        /// Client to worker: a script.
        case run = 3
        /// Worker to client: data that the script asks for; answered by `answer`.
        case ask = 4
        case answer = 5
        /// Worker to client: the request's values.
        case result = 6
    }

    /// How the process ends when it stops itself; the client turns it into a `ScriptError`.
    enum Exit: Int32 {
        case memoryLimit = 70
        case timeLimit = 71
        case noWalls = 72
        case protocolFault = 73
    }
}
