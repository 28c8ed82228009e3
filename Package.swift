// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault")
]

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let grdbSQLite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioSOCKS: Target.Dependency = .product(name: "NIOSOCKS", package: "swift-nio-extras")
let nioCompression: Target.Dependency = .product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: house)
}

let package = Package(
    name: "aias",
    products: [
        .executable(name: "aias", targets: ["aias"]),
        .executable(name: "aias-sandbox", targets: ["aias-sandbox"]),
        .executable(name: "aias-files", targets: ["aias-files"])
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", exact: "1.7.3")
    ],
    targets: [
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CJavaScriptCore", pkgConfig: "javascriptcoregtk-4.1", providers: [.apt(["libjavascriptcoregtk-4.1-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPoppler", pkgConfig: "poppler-glib", providers: [.apt(["libpoppler-glib-dev"])]),
        .systemLibrary(name: "CMagick", pkgConfig: "GraphicsMagick", providers: [.apt(["libgraphicsmagick1-dev"])]),
        .target(name: "CImages", dependencies: ["CMagick"]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CZBar", pkgConfig: "zbar", providers: [.apt(["libzbar-dev"])]),
        .systemLibrary(name: "CGMime", pkgConfig: "gmime-3.0", providers: [.apt(["libgmime-3.0-dev"])]),
        .target(name: "CMail", dependencies: ["CGMime"]),
        .target(name: "CShims", dependencies: ["CCurl"]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CGumbo", linkerSettings: [.linkedLibrary("gumbo")]),
        .systemLibrary(name: "CCmark", pkgConfig: "libcmark-gfm", providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
        .systemLibrary(name: "CLibXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(name: "CXML", dependencies: ["CLibXML"]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        module("Kernel", [collections]),
        module("Telemetry", ["Kernel", logging, tracing]),
        module("Persistence", ["Kernel", "Telemetry", "CPostgres", "CSQLite", "CZstd", grdb, grdbSQLite, crypto, logging, deque]),
        module("Scripting", ["Kernel", "Telemetry", collections, crypto, logging]),
        .executableTarget(
            name: "aias-sandbox", dependencies: ["CJavaScriptCore", "CSeccomp", "CShims", "Kernel"], path: "Sources/aias-sandbox",
            resources: [.embedInCode("Prelude"), .embedInCode("Python")], swiftSettings: house),
        .executableTarget(
            name: "aias-files",
            dependencies: [
                "CImages", "CLibXML", "CMail", "CPoppler", "CQREncode", "CSeccomp", "CShims", "CZBar", "CZip", "CZlib", "Kernel", grdbSQLite
            ],
            path: "Sources/aias-files", swiftSettings: house),
        module(
            "Outbound",
            [
                "Kernel", "Telemetry", "CPostgres", asyncHTTPClient, nioCore, nioPosix, nioHTTP1, nioSOCKS, nioSSL, nioCompression, crypto, logging,
                tracing
            ]),
        module("Jobs", ["Kernel", "Telemetry", "Persistence", "Outbound", lifecycle, logging]),
        module(
            "HTTPSurface",
            [
                "Kernel", "Telemetry", "Persistence", "CCmark", "CZlib", hummingbird, hummingbirdCore, hummingbirdTLS, nioCore, nioPosix, nioHTTP1,
                nioHTTPTypes, httpTypes, collections, crypto, logging, lifecycle, tracing
            ]),
        module("Tenancy", ["Kernel", "Telemetry", "Persistence", "Jobs", "HTTPSurface", "CArgon2", crypto, logging]),
        module(
            "Notifications",
            ["Kernel", "Telemetry", "Persistence", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "CCurl", "CShims", crypto, logging, lifecycle]),
        module(
            "Billing",
            ["Kernel", "Telemetry", "Persistence", "Outbound", "Jobs", "HTTPSurface", "Tenancy", crypto, logging, lifecycle]),
        module(
            "Workflows",
            [
                "Kernel", "Telemetry", "Persistence", "Scripting", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "Notifications", "CGumbo", "CCmark",
                "CXML", "COpenSSL", collections, crypto, cryptoExtras, logging, lifecycle, tracing
            ]),
        module(
            "Gateway",
            [
                "Kernel", "Telemetry", "Persistence", "Scripting", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "Notifications", "Billing",
                "Workflows", logging, lifecycle, signals, crypto
            ]),
        .executableTarget(
            name: "aias",
            dependencies: [
                "Kernel", "Telemetry", "Persistence", "Scripting", "Outbound", "Tenancy", "Workflows", "Gateway", arguments, logging, lifecycle
            ],
            swiftSettings: house),
        module("TestKit", ["Kernel", "Persistence", nioCore, nioPosix, nioHTTP1, nioSSL]),

        tests("KernelTests", ["Kernel"]),
        tests("TelemetryTests", ["Kernel", "Telemetry", tracing]),
        tests("PersistenceTests", ["Kernel", "Persistence", "Outbound", "TestKit", grdb]),
        tests(
            "SimulationTests", ["Kernel", "Persistence", "Outbound", "Scripting", "Jobs", "Workflows", "TestKit", grdb, logging]),
        tests("ScriptingTests", ["Kernel", "Scripting", "TestKit"]),
        tests("OutboundTests", ["Kernel", "Outbound", "TestKit", nioHTTP1]),
        tests("JobsTests", ["Kernel", "Persistence", "Outbound", "Jobs", "TestKit", logging]),
        tests(
            "HTTPSurfaceTests",
            [
                "Kernel", "Persistence", "HTTPSurface", "TestKit", .product(name: "HummingbirdTesting", package: "hummingbird"), hummingbird,
                .product(name: "NIOEmbedded", package: "swift-nio"), nioCore, nioHTTPTypes, httpTypes, logging, lifecycle, crypto
            ]),
        tests("TenancyTests", ["Kernel", "Persistence", "Jobs", "HTTPSurface", "Tenancy", "TestKit", logging]),
        tests(
            "NotificationsTests",
            ["Kernel", "Persistence", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "Notifications", "TestKit", logging, nioHTTP1, crypto]),
        tests(
            "BillingTests",
            ["Kernel", "Persistence", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "Billing", "TestKit", logging, nioHTTP1, crypto],
            exclude: ["Fixtures"]),
        tests(
            "WorkflowsTests",
            [
                "Kernel", "Persistence", "Scripting", "Outbound", "Jobs", "HTTPSurface", "Tenancy", "Workflows", "TestKit", collections, crypto,
                cryptoExtras,
                logging, nioHTTP1
            ],
            exclude: ["Hermetic", "Reference"]),

        tests("GatewayTests", ["Kernel", "HTTPSurface", "Gateway"]),

        tests("ArchitectureTests", [])
    ]
)
