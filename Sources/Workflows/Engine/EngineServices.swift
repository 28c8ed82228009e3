package import Kernel
package import Outbound
package import Scripting

/// What the engine needs of the modules around it, passed in where the program is put together.
package struct EngineServices: Sendable {
    /// Evaluates every `=` string inside a value for one item.
    package typealias Evaluate = @Sendable (_ value: JSON, _ tenant: TenantID, _ scope: any ExpressionScope, _ item: Int) async throws -> JSON

    package var evaluate: Evaluate
    package var scripts: any ScriptRunner
    /// The decrypted fields of a credential, by its id.
    package var credential: @Sendable (_ id: String, _ type: String, TenantID) async throws -> JSONObject
    /// The access token of a credential of OAuth 2, a new one where `stale` is the one that is known.
    package var accessToken: @Sendable (_ id: String, _ type: String, _ stale: String?, TenantID) async throws -> String
    package var send: @Sendable (OutboundRequest, TenantID) async throws -> OutboundResponse
    package var readBinary: @Sendable (BinaryReference, TenantID) async throws -> [UInt8]
    package var writeBinary: @Sendable (_ bytes: [UInt8], _ mimeType: String, _ fileName: String?, FileHolder) async throws -> BinaryReference
    /// A file piece by piece, opened anew with each call.
    package var openBinary: @Sendable (BinaryReference, TenantID) async throws -> BytePieces
    /// Keeps a file that comes piece by piece.
    package var keepBinary: @Sendable (BytePieces, _ mimeType: String, _ fileName: String?, FileHolder) async throws -> BinaryReference
    /// `$vars`.
    package var variables: @Sendable (TenantID) async -> JSON
    package var facilities = StepFacilities()

    package init(
        evaluate: @escaping Evaluate, scripts: any ScriptRunner,
        credential: @escaping @Sendable (_ id: String, _ type: String, TenantID) async throws -> JSONObject,
        send: @escaping @Sendable (OutboundRequest, TenantID) async throws -> OutboundResponse,
        readBinary: @escaping @Sendable (BinaryReference, TenantID) async throws -> [UInt8],
        writeBinary: @escaping @Sendable (_ bytes: [UInt8], _ mimeType: String, _ fileName: String?, FileHolder) async throws -> BinaryReference,
        variables: @escaping @Sendable (TenantID) async -> JSON = { _ in [:] }
    ) {
        self.evaluate = evaluate
        self.scripts = scripts
        self.credential = credential
        self.send = send
        self.readBinary = readBinary
        self.writeBinary = writeBinary
        accessToken = { _, type, _, _ in
            throw StepFailure("credential_missing", "There are no access tokens here (\(type)).", isRetryable: false)
        }
        openBinary = { file, tenant in BytePieces(try await readBinary(file, tenant)) }
        keepBinary = { pieces, type, name, holder in
            try await writeBinary(try await pieces.collected(upTo: Limits.fileBytesInMemory), type, name, holder)
        }
        self.variables = variables
    }
}

/// Whom a file is kept for.
package struct FileHolder: Sendable, Hashable {
    package var tenant: TenantID
    /// The run whose step writes it or reads it from the disk, or that it waits or is to begin with.
    package var run: RunID

    package init(tenant: TenantID, run: RunID) {
        self.tenant = tenant
        self.run = run
    }
}

/// What is true of a run from its beginning to its end.
package struct RunFacts: Sendable {
    package var id: RunID
    package var tenant: TenantID
    package var workflow: WorkflowID
    package var version: Int
    /// `manual`, `webhook`, `trigger`, `schedule`, `error`, `call`.
    package var mode: String
    /// IANA name used where the workflow names none.
    package var timeZone: String
    /// Workflows above this one that called each other.
    package var depth: Int
    /// nil where they begin with its own id.
    var outwardKeys: OutwardKeys?
    /// Its span in this process, or for a run that another starts that one's; nil where nothing is traced.
    package var trace: RunTrace?

    package init(id: RunID, tenant: TenantID, workflow: WorkflowID, version: Int, mode: String, timeZone: String = "UTC", depth: Int = 0) {
        self.id = id
        self.tenant = tenant
        self.workflow = workflow
        self.version = version
        self.mode = mode
        self.timeZone = timeZone
        self.depth = depth
    }

    var keys: OutwardKeys { outwardKeys ?? OutwardKeys(of: id) }
}

package enum RunTag {}
package enum WorkflowTag {}
package typealias RunID = ID<RunTag>
package typealias WorkflowID = ID<WorkflowTag>
