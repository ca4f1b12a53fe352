// swift-tools-version: 6.2
import PackageDescription

// Every target is a room of one house. `floor` is its height: a room imports only from floors below it
// (`tools/check-floors.py` holds the sources to that). The folder of a room is its name.

/// A room above the ground floor, with a README.md that says why it exists.
func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], kernel: Bool = false
) -> Target {
    // Unchecked arithmetic belongs to the kernels alone: parsers and planners keep their checks.
    let flags: [SwiftSetting] =
        kernel ? [.unsafeFlags(["-Ounchecked", "-enforce-exclusivity=unchecked"], .when(configuration: .release))] : []
    return .target(name: name, dependencies: dependencies, exclude: exclude + ["README.md"], swiftSettings: flags)
}

/// The kernels for one instruction set: links to the baseline's sources, built with its flags. They are optimised in
/// debug builds too: there they would be a hundred times slower, and leave generic code behind.
func instructionSet(_ name: String, flag: String, march: String, extensions: [String] = []) -> Target {
    #if arch(x86_64)
        let flags = (["-march=\(march)"] + extensions.map { "-m\($0)" }).flatMap { ["-Xcc", $0] }
    #else
        let flags: [String] = []
    #endif
    return .target(
        name: name, dependencies: ["CMartletIntrinsics"],
        swiftSettings: [
            .define(flag),
            .unsafeFlags(flags + ["-Ounchecked", "-enforce-exclusivity=unchecked"]),
        ])
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    // Golden files are found from #filePath, not bundled.
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name), "MartletTestSupport"] + dependencies,
        exclude: exclude)
}

let package = Package(
    name: "martlet",
    products: [
        .library(name: "Martlet", targets: ["Martlet"]),
        .executable(name: "martlet", targets: ["MartletCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.31.0"),
    ],
    targets: [
        // Floor 0: C that Swift links against.
        .target(name: "CMartletOpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
        .target(name: "CMartletPNG", linkerSettings: [.linkedLibrary("png")]),
        .target(name: "CMartletJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .systemLibrary(name: "CMartletZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMartletIntrinsics"),
        .systemLibrary(name: "CMartletFutex"),

        // Floor 1
        room("MartletTensors"),
        room("MartletParallelism", ["CMartletFutex"]),

        // Floor 2
        room("MartletFiles", ["MartletTensors"]),
        room("MartletLinearAlgebra", ["CMartletOpenBLAS", "MartletTensors", "MartletParallelism"]),
        room("MartletKernelsBaseline", ["CMartletIntrinsics"], kernel: true),
        instructionSet("MartletKernelsAVX2", flag: "MARTLET_AVX2", march: "x86-64-v3"),
        instructionSet("MartletKernelsAVX512", flag: "MARTLET_AVX512", march: "x86-64-v4"),
        instructionSet(
            "MartletKernelsVNNI", flag: "MARTLET_VNNI", march: "x86-64-v4", extensions: ["avx512vnni"]),

        // Floor 3
        room("MartletNetworks", ["MartletTensors", "MartletKernelsBaseline"]),
        room(
            "MartletImages",
            ["CMartletPNG", "CMartletJPEG", "CMartletZlib", "MartletTensors", "MartletParallelism", "MartletFiles"]),

        // Floor 4
        room(
            "MartletONNXFormat",
            [
                "MartletTensors", "MartletFiles", "MartletNetworks",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ], exclude: ["Protocol/onnx.proto"]),
        room("MartletSafetensorsFormat", ["MartletTensors", "MartletFiles"]),
        room("MartletNumPyFormat", ["MartletTensors", "MartletFiles"]),
        room(
            "MartletInference",
            [
                "CMartletIntrinsics", "MartletTensors", "MartletParallelism", "MartletLinearAlgebra",
                "MartletKernelsBaseline", "MartletKernelsAVX2", "MartletKernelsAVX512", "MartletKernelsVNNI",
                "MartletNetworks",
            ]),

        // Floor 5
        room(
            "MartletStatistics",
            [
                "MartletTensors", "MartletParallelism", "MartletFiles", "MartletLinearAlgebra",
                "MartletKernelsBaseline", "MartletKernelsAVX2", "MartletKernelsAVX512", "MartletNetworks",
                "MartletInference", "MartletSafetensorsFormat",
            ]),
        room("MartletDecompositions", ["MartletTensors", "MartletParallelism", "MartletLinearAlgebra"]),

        // Floor 6
        room(
            "MartletEvaluation",
            ["MartletTensors", "MartletParallelism", "MartletNetworks", "MartletImages", "MartletInference"]),
        room(
            "MartletQuantization",
            [
                "MartletTensors", "MartletParallelism", "MartletLinearAlgebra", "MartletNetworks", "MartletInference",
                "MartletStatistics",
            ]),
        room(
            "MartletTraining",
            [
                "MartletTensors", "MartletParallelism", "MartletLinearAlgebra", "MartletKernelsBaseline",
                "MartletKernelsAVX2", "MartletKernelsAVX512", "MartletNetworks", "MartletImages", "MartletInference",
                "MartletSafetensorsFormat", "MartletStatistics",
            ]),

        // Floor 7
        room(
            "MartletCompression",
            [
                "MartletTensors", "MartletFiles", "MartletParallelism", "MartletLinearAlgebra", "MartletNetworks",
                "MartletSafetensorsFormat", "MartletInference", "MartletStatistics", "MartletDecompositions",
                "MartletEvaluation",
            ]),

        // Floor 8
        room(
            "Martlet",
            [
                "MartletTensors", "MartletParallelism", "MartletFiles", "MartletLinearAlgebra", "MartletNetworks",
                "MartletImages",
                "MartletONNXFormat", "MartletSafetensorsFormat", "MartletNumPyFormat", "MartletInference",
                "MartletStatistics", "MartletTraining", "MartletDecompositions", "MartletEvaluation",
                "MartletQuantization",
                "MartletCompression",
            ]),

        // Floor 9
        .executableTarget(
            name: "MartletCommand",
            dependencies: ["Martlet", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            exclude: ["README.md"]),

        // Tests
        .target(
            name: "MartletTestSupport", dependencies: ["MartletTensors", "MartletNetworks"],
            path: "Tests/MartletTestSupport"),
        tests("MartletTensors"),
        tests("MartletParallelism"),
        tests("MartletFiles"),
        tests("MartletLinearAlgebra", ["CMartletIntrinsics"]),
        tests("MartletKernelsBaseline", ["MartletKernelsAVX2", "MartletKernelsAVX512", "MartletInference"]),
        tests("MartletNetworks", ["MartletInference"]),
        tests("MartletImages", ["MartletFiles", "MartletTensors", "CMartletZlib"], exclude: ["Goldens"]),
        tests("MartletONNXFormat", ["MartletNetworks", "MartletInference"]),
        tests("MartletSafetensorsFormat"),
        tests("MartletNumPyFormat"),
        tests("MartletInference", ["MartletNetworks", "MartletONNXFormat", "MartletParallelism"]),
        tests(
            "MartletStatistics", ["MartletNetworks", "MartletInference", "MartletParallelism", "MartletLinearAlgebra"]),
        tests("MartletDecompositions", ["MartletLinearAlgebra"]),
        tests(
            "MartletTraining",
            [
                "MartletImages", "MartletNetworks", "MartletStatistics", "MartletONNXFormat", "MartletParallelism",
                "MartletTensors",
            ]),
        tests(
            "MartletEvaluation",
            ["MartletTensors", "MartletParallelism", "MartletImages", "MartletNetworks", "MartletInference"]),
        tests(
            "MartletQuantization",
            [
                "MartletTensors", "MartletParallelism", "MartletLinearAlgebra", "MartletNetworks", "MartletInference",
                "MartletONNXFormat",
            ]),
        tests(
            "MartletCompression",
            [
                "MartletNetworks", "MartletInference", "MartletStatistics", "MartletParallelism", "MartletEvaluation",
                "MartletFiles", "MartletLinearAlgebra",
            ]),
        tests("Martlet"),
        tests("MartletCommand", ["Martlet"]),
    ]
)

// Continuous integration (`tools/test.sh`) turns warnings into errors, in this package and not in its dependencies.
// Not by default: a later compiler's new warning should not stop anyone from building Martlet.
if Context.environment["MARTLET_WARNINGS_AS_ERRORS"] == "1" {
    for target in package.targets where target.type != .system {
        target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
        target.cSettings = (target.cSettings ?? []) + [.treatAllWarnings(as: .error)]
    }
}
