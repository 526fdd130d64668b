// What the process was started with, read once and passed on as values.

import Foundation
import Pipeline

enum Environment {
    static var stream: String? { ProcessInfo.processInfo.environment[StreamArguments.environmentName] }

    /// Of this program.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments.first
            ?? "emotiond"
    }

    static var modelSearch: ModelSearch {
        ModelSearch(environment: ProcessInfo.processInfo.environment["EMOTIOND_MODELS"], executable: executable)
    }
}
