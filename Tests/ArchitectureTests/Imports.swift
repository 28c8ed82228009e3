/// The one table of who may import whom. An edge that is not here fails the test, and so does one here that nothing uses.
enum Imports {
    /// Layers from the ground up; a module imports only from layers below its own.
    static let layers: [[String]] = [
        ["Kernel"], ["Telemetry"], ["Persistence", "Scripting", "Outbound"], ["Jobs"], ["HTTPSurface"], ["Tenancy"], ["Billing", "Notifications"],
        ["Workflows"], ["Gateway"], ["aias"]
    ]

    /// Programs and kits that stand beside the layers, and what of ours they may import.
    static let beside: [String: Set<String>] = [
        "aias-files": ["Kernel"],
        "aias-sandbox": ["Kernel"],
        "TestKit": ["Kernel", "Persistence"]
    ]

    /// Libraries that only these modules import; any other may be imported anywhere.
    static let onlyImporters: [String: Set<String>] = [
        "AsyncHTTPClient": ["Outbound"],
        "GRDB": ["Persistence"],
        "CPostgres": ["Outbound", "Persistence"],
        "CSQLite": ["Persistence"],
        "GRDBSQLite": ["Persistence", "aias-files"],
        "CZstd": ["Persistence"],
        "CJavaScriptCore": ["aias-sandbox"],
        "CPoppler": ["aias-files"],
        "CImages": ["aias-files"],
        "CQREncode": ["aias-files"],
        "CZBar": ["aias-files"],
        "CMail": ["aias-files"],
        "CSeccomp": ["aias-files", "aias-sandbox", "Scripting"],
        "CLibXML": ["aias-files"],
        "CZip": ["aias-files"],
        "CZlib": ["aias-files", "HTTPSurface"],
        "CArgon2": ["Tenancy"],
        "CCurl": ["Notifications"],
        "CGumbo": ["Workflows"],
        "CCmark": ["HTTPSurface", "Workflows"],
        "CXML": ["Workflows"],
        "COpenSSL": ["Workflows"],
        "Hummingbird": ["HTTPSurface", "Gateway"],
        "HummingbirdTLS": ["HTTPSurface", "Gateway"],
        "ArgumentParser": ["aias"]
    ]
}
