// Signals as people know them.

import Glibc

enum SignalName {
    /// `SIGSEGV (Segmentation fault)`, or the number of a signal that has no name.
    static func text(_ number: Int32) -> String {
        guard let name = names[number] else { return "signal \(number)" }
        return strsignal(number).map { "\(name) (\(String(cString: $0)))" } ?? name
    }

    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV",
        SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
        SIGSYS: "SIGSYS",
    ]
}
