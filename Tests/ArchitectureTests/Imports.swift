/// The one table of who may import whom. An edge that is not here fails the test, and so does one here that nothing uses.
enum Imports {
    /// Layers from the ground up; a module imports only from layers below its own.
    static let layers: [[String]] = [
        ["Kernel"], ["Telemetry"], ["Persistence", "Scripting", "Outbound"], ["Jobs"], ["HTTPSurface"], ["Tenancy"], ["Notifications"],
        ["Workflows"], ["Gateway"], ["aias"]
    ]

    /// Programs and kits that stand beside the layers, and what of ours they may import.
    static let beside: [String: Set<String>] = [
        "aias-sandbox": ["Kernel"],
        "TestKit": ["Kernel", "Persistence"]
    ]

    /// Libraries that only these modules import; any other may be imported anywhere.
    static let onlyImporters: [String: Set<String>] = [
        "AsyncHTTPClient": ["Outbound"],
        "GRDB": ["Persistence"],
        "CPostgres": ["Persistence"],
        "CZstd": ["Persistence"],
        "CJavaScriptCore": ["aias-sandbox"],
        "CSeccomp": ["aias-sandbox", "Scripting"],
        "CArgon2": ["Tenancy"],
        "CCurl": ["Notifications"],
        "Hummingbird": ["HTTPSurface", "Gateway"],
        "HummingbirdTLS": ["HTTPSurface", "Gateway"],
        "ArgumentParser": ["aias"]
    ]
}
