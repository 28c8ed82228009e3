/// Limits of the built-in kinds.
enum KindLimits {
    /// The highest array index that a field name may create.
    static let pathIndex = 10_000
    /// Items that one step may give out.
    static let itemsPerStep = 1_000_000
    /// Pairs of items with the same values that one merge looks at.
    static let pairsPerMerge = 10_000_000
    /// Random bytes that one item may ask for.
    static let randomBytes = 1_000_000
    /// Inputs or outputs of one node.
    static let portsPerNode = 100
    /// Up to this size a request's file is read before it is sent; a larger one goes out piece by piece.
    static let fileSentAsBytes = 1 << 20
    /// Pages that a paginated request reads where the node names no number.
    static let pagesPerRequest = 1_000
    /// Requests that one step has under way at a time.
    static let requestsSideBySide = 16
    /// Requests that one script may send, and bytes of one answer that it may get.
    static let requestsPerScript = 100
    static let scriptResponseBytes = 16 << 20
    /// The largest file that a script may read.
    static let scriptFileBytes = 16 << 20
    /// Attempts of one request that is answered with 429 or 503 and a `Retry-After`.
    static let retryAfterAttempts = 3
    /// The longest `Retry-After` that is obeyed; a server that asks for more fails the node.
    static let retryAfter = Duration.seconds(86_400)
    /// The longest single wait that a step sleeps through; longer ones are timers.
    static let sleep = Duration.seconds(5)
    /// All that a step sleeps between two timers.
    static let sleepInAll = Duration.seconds(30)
    /// The longest wait: ten years.
    static let waitSeconds = 315_360_000.0
    /// Slots looked at before a schedule is said to have no further one.
    static let scheduleSearchDays = 366 * 8
}
