// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A room of the house: a Swift module below Sources. The arrows are checked by Tests/ArchitectureTests.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: ["TestSupport"] + dependencies, exclude: exclude, swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "emotiond",
    products: [.executable(name: "emotiond", targets: ["emotiond"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
    ],
    targets: [
        room("Core"),

        // C and C++.
        .systemLibrary(
            name: "CFFmpeg",
            pkgConfig: "libavformat libavcodec libswscale libswresample libavutil",
            providers: [
                .apt(["libavformat-dev", "libavcodec-dev", "libswscale-dev", "libswresample-dev", "libavutil-dev"])
            ]),
        .target(name: "CFFmpegShims", dependencies: ["CFFmpeg"], cSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "COpenCV",
            // Debian's subset packages bring no opencv4.pc, so the include path is named here.
            cxxSettings: [
                .unsafeFlags(["-I/usr/include/opencv4", "-O2", "-Wall", "-Wextra"]), .treatAllWarnings(as: .error),
            ],
            linkerSettings: [
                .linkedLibrary("opencv_core"), .linkedLibrary("opencv_imgproc"),
                .linkedLibrary("opencv_objdetect"), .linkedLibrary("opencv_dnn"),
            ]),
        // A debug build at -O0 would make kernel tests take minutes; contraction would change the scalar's bits.
        .target(
            name: "CBuild",
            cSettings: [
                .define("EMOTIOND_COMMIT", to: "\"\(Context.gitInformation?.currentCommit ?? "unknown")\"")
            ]),
        .target(
            name: "CKernels",
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"]), .treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("m")]),

        .target(
            name: "Onnx", dependencies: [protobuf], exclude: ["Proto/onnx_subset.proto"], swiftSettings: strict),
        room("Inference", ["Onnx", "CKernels"]),
        room("Media", ["Core", "CFFmpeg", "CFFmpegShims"]),
        room("Faces", ["Core", "COpenCV"]),
        room("Timeline", ["Core"]),
        room("Overlay", ["Core", "COpenCV"]),
        room("Results"),
        room("Pipeline", ["Core", "Onnx", "Media", "Faces", "Inference", "Timeline", "Overlay", "Results", logging]),
        room("Workers", ["Results", logging, subprocess, systemPackage]),
        room("ServiceConfig", [yams]),
        room("Ledger", [grdb]),
        room("Intake"),
        .target(
            name: "Web", dependencies: [hummingbird, hummingbirdCore, lifecycle, nio, nioPosix, httpTypes, logging],
            resources: [.embedInCode("Page")], swiftSettings: strict),
        room(
            "Daemon",
            [
                "Core", "ServiceConfig", "Ledger", "Intake", "Results", "Workers", "Web", logging, subprocess,
                systemPackage,
            ]),
        room("Tools", ["Core", "CBuild", "Media", "Faces", "Inference", "Pipeline", "Results", logging]),
        .executableTarget(
            name: "emotiond",
            dependencies: ["Core", "ServiceConfig", "Daemon", "Pipeline", "Results", "Tools", logging, arguments],
            resources: [.copy("Models")],
            swiftSettings: strict),

        .executableTarget(
            name: "KernelBench", dependencies: ["CKernels"], path: "Tests/Benchmarks/Kernels", swiftSettings: strict),

        .target(name: "TestSupport", dependencies: ["Core"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("ArchitectureTests"),
        tests("CoreTests", ["Core"]),
        tests("CKernelsTests", ["Core", "CKernels"]),
        tests("OnnxTests", ["Core", "Onnx"]),
        tests("InferenceTests", ["Core", "Onnx", "Inference"]),
        tests("MediaTests", ["Core", "Media"]),
        tests("FacesTests", ["Core", "COpenCV", "Faces"]),
        tests("TimelineTests", ["Core", "Timeline"]),
        tests("OverlayTests", ["Core", "Overlay"]),
        tests("ResultsTests", ["Results"]),
        tests("PipelineTests", ["Core", "Media", "Faces", "Inference", "Pipeline", "Results", logging]),
        tests("WorkersTests", ["Results", "Workers", logging], exclude: ["FakeWorker.py"]),
        // Writes transitions until it is killed; LedgerTests starts it.
        .executableTarget(
            name: "LedgerCrash", dependencies: ["Ledger", "TestSupport"], path: "Tests/LedgerCrash",
            swiftSettings: strict),
        // A pretended service, for looking at the dashboard: Tests/Browser drives it.
        .executableTarget(
            name: "WebDemo",
            dependencies: [
                "Web", lifecycle, .product(name: "UnixSignals", package: "swift-service-lifecycle"), logging,
            ], path: "Tests/WebDemo", swiftSettings: strict),
        tests("ServiceConfigTests", ["ServiceConfig"]),
        tests("LedgerTests", ["Ledger", "LedgerCrash"]),
        tests("IntakeTests", ["Intake"]),
        tests("WebTests", ["Web", lifecycle, logging], exclude: ["check_metrics.py"]),
        tests("DaemonTests", ["Daemon", logging]),
        tests("ToolsTests", ["Core", "Faces", "Tools"]),
        tests("EndToEndTests", ["emotiond", "Results", "Workers", logging], exclude: ["odd_inputs.py"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17)
