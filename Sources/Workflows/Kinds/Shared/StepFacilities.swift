package import Kernel
package import Scripting

/// What the program lends to kinds beyond requests and expressions, passed in where it is put together; what is not there is refused.
package struct StepFacilities: Sendable {
    /// Reads and makes files in the walled converter.
    package var convert: @Sendable (FileConversion) async throws -> ConvertedFiles
    /// The tenants' own tables; nil where there is no database.
    package var dataTables: DataTables?
    /// The tenants' disks; nil where there is no database.
    package var disk: Disk?
    /// Connections beside HTTP; nil where there are none.
    package var network: ServiceNetwork?
    /// Where a run, or one waiting step of it (`node.runIndex`), can be answered.
    package var addresses: @Sendable (TenantID, RunID, _ place: String?) async throws -> AnswerAddresses

    package init(
        convert: @escaping @Sendable (FileConversion) async throws -> ConvertedFiles = { _ in
            throw FileConversionError("unavailable", "Files cannot be converted here.")
        },
        addresses: @escaping @Sendable (TenantID, RunID, _ place: String?) async throws -> AnswerAddresses = { _, _, _ in
            throw StepFailure("no_addresses", "Without a server nobody can answer a run.", isRetryable: false)
        }
    ) {
        self.convert = convert
        self.addresses = addresses
    }
}

/// The signed addresses of a run that waits.
package struct AnswerAddresses: Sendable, Hashable {
    /// For people.
    package var page: String
    /// For programs.
    package var call: String
    package init(page: String, call: String) {
        self.page = page
        self.call = call
    }
}
