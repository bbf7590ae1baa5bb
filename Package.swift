// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 mode, warnings are errors, the upcoming features on.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Targets of the server mark every use of an unsafe construct, in their own code and in calls of C.
let fenced: [SwiftSetting] = strict + [.strictMemorySafety()]

let nio = (
    core: Target.Dependency.product(name: "NIOCore", package: "swift-nio"),
    posix: Target.Dependency.product(name: "NIOPosix", package: "swift-nio"),
    tls: Target.Dependency.product(name: "NIOTLS", package: "swift-nio"),
    http1: Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio"),
    webSocket: Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio"),
    embedded: Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "NNMonitor",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "NNMonitor", targets: ["NNMonitor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // Without its JSON files, which would load Foundation with all its languages.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CAllocator", path: "Sources/NNMonitor/CAllocator"),

        .target(name: "Foundations", path: "Sources/NNMonitor/Foundations", swiftSettings: fenced),
        .target(
            name: "MonitorCore", dependencies: ["Foundations", deque],
            path: "Sources/NNMonitor/MonitorCore", swiftSettings: fenced),
        .target(
            name: "Health", dependencies: ["MonitorCore", "Foundations"], path: "Sources/NNMonitor/Health",
            swiftSettings: fenced),
        .target(
            name: "Compression", dependencies: ["CZlib", "Foundations", nio.core],
            path: "Sources/NNMonitor/Compression", swiftSettings: fenced),
        .target(
            name: "Turns",
            dependencies: [
                "Foundations", nio.core, nio.posix, .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/NNMonitor/Turns", swiftSettings: fenced),
        .target(
            name: "TLS", dependencies: ["COpenSSL", "Foundations", nio.core, nio.tls],
            path: "Sources/NNMonitor/TLS", swiftSettings: fenced),
        .target(
            name: "WebSocket",
            dependencies: ["Compression", "Foundations", "Turns", nio.core, nio.http1, nio.webSocket, deque],
            path: "Sources/NNMonitor/WebSocket", swiftSettings: fenced),
        .target(
            name: "HTTPService",
            dependencies: ["Compression", "Foundations", "Turns", nio.core, nio.http1, logging, deque],
            path: "Sources/NNMonitor/HTTPService", swiftSettings: fenced),
        .target(
            name: "MonitorAPI",
            dependencies: [
                "MonitorCore", "HTTPService", "WebSocket", "Compression", "Turns", "Foundations", nio.core, nio.http1,
                nio.webSocket, logging, deque,
            ],
            path: "Sources/NNMonitor/MonitorAPI", swiftSettings: fenced),
        .target(
            name: "MonitorServer",
            dependencies: [
                "MonitorAPI", "MonitorCore", "Health", "HTTPService", "WebSocket", "TLS", "Turns",
                "Foundations", "CAllocator", nio.core, nio.posix, nio.tls, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/NNMonitor/MonitorServer", swiftSettings: fenced),
        .executableTarget(
            name: "NNMonitor",
            dependencies: ["MonitorServer", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/NNMonitor/NNMonitor", swiftSettings: fenced),

        .executableTarget(
            name: "EchoServer",
            dependencies: [
                "WebSocket", "TLS", nio.core, nio.posix, nio.http1,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Support/EchoServer", swiftSettings: strict),

        .executableTarget(
            name: "CoreBench", dependencies: ["MonitorCore", "Health", "Foundations"], path: "Benchmarks/CoreBench",
            swiftSettings: strict),

        .testTarget(
            name: "FoundationsTests", dependencies: ["Foundations"], path: "Tests/Unit/Foundations",
            swiftSettings: strict),
        .testTarget(
            name: "MonitorCoreTests", dependencies: ["MonitorCore", "Foundations", "CAllocator"],
            path: "Tests/Unit/MonitorCore",
            swiftSettings: strict),
        .testTarget(
            name: "HealthTests", dependencies: ["Health", "MonitorCore", "Foundations"], path: "Tests/Unit/Health",
            swiftSettings: strict),
        .testTarget(
            name: "CompressionTests", dependencies: ["Compression", nio.core], path: "Tests/Unit/Compression",
            swiftSettings: strict),
        .testTarget(
            name: "TurnsTests", dependencies: ["Turns", nio.core, nio.embedded, nio.posix], path: "Tests/Unit/Turns",
            swiftSettings: strict),
        // Not fenced: its client is OpenSSL's own, nearly every line of it a call of C, and no part of the server.
        .testTarget(
            name: "TLSTests",
            dependencies: ["TLS", "COpenSSL", "Foundations", nio.core, nio.posix, nio.tls, nio.embedded],
            path: "Tests/Unit/TLS",
            swiftSettings: strict),
        .testTarget(
            name: "WebSocketTests",
            dependencies: ["WebSocket", "Turns", "Compression", nio.core, nio.http1, nio.embedded, nio.webSocket],
            path: "Tests/Unit/WebSocket", swiftSettings: strict),
        .testTarget(
            name: "HTTPServiceTests",
            dependencies: [
                "HTTPService", "Compression", "Foundations", nio.core, nio.http1, nio.embedded, nio.posix, logging,
            ],
            path: "Tests/Unit/HTTPService", swiftSettings: strict),
        .testTarget(
            name: "MonitorAPITests",
            dependencies: [
                "MonitorAPI", "MonitorCore", "HTTPService", "WebSocket", "Compression", "Foundations", nio.core,
                nio.http1, nio.webSocket, nio.embedded, logging,
            ],
            path: "Tests/Unit/MonitorAPI", swiftSettings: strict),
        .testTarget(
            name: "MonitorServerTests",
            dependencies: [
                "MonitorServer", "MonitorAPI", "HTTPService", "Foundations", logging, nio.core, nio.embedded,
                // The executable that `StartTests` starts.
                "NNMonitor",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Unit/MonitorServer", swiftSettings: strict),

        .target(
            name: "FuzzTargets",
            dependencies: [
                "MonitorServer", "MonitorAPI", "MonitorCore", "HTTPService", "WebSocket", "TLS", "Compression",
                "COpenSSL", "Foundations", nio.core, nio.embedded, nio.http1, nio.tls, nio.webSocket, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Fuzz",
            exclude: ["Entry", "SeedTests", "seeds.py", "leaks.txt", "dictionaries", "regressions"],
            sources: ["Support", "Targets"], swiftSettings: fenced),
        .testTarget(
            name: "FuzzTargetsTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/SeedTests",
            swiftSettings: strict),
    ]
)

// libFuzzer's program: built by script/fuzz only, since it needs libFuzzer's runtime and has no main of its own.
if Context.environment["FUZZ"] != nil {
    package.targets.append(
        .executableTarget(name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Entry", swiftSettings: fenced))
}
