// Who does the work and who hears of it: workers, HTTP, hooks.

extension ServiceConfiguration {
    package enum WorkerCount: Equatable, Codable, Sendable {
        /// By cores and the limits of the control group.
        case auto
        case fixed(Int)

        static let form = Form<Self>(
            allowed: "auto or a whole number from 1 to 256",
            parse: { text in
                if text == "auto" { return .auto }
                return Int(text).flatMap { (1...256).contains($0) ? .fixed($0) : nil }
            },
            show: {
                switch $0 {
                case .auto: "auto"
                case .fixed(let count): String(count)
                }
            })
    }

    package struct Workers: ConfigurationSection {
        package var count = WorkerCount.auto
        package var memory: Int64 = 2 << 30
        /// CPU time of one job.
        package var cpu: Duration? = .seconds(24 * 3600)
        /// How long a job may show no progress.
        package var stall = Duration.seconds(120)
        package var attempts = 3
        package var backoffFirst = Duration.seconds(30)
        package var backoffMost = Duration.seconds(900)
        /// Jobs after which a worker is replaced by a fresh one.
        package var reuse = 200
        /// Of media between two checkpoints.
        package var checkpoint = Duration.seconds(10)

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("count", \.count, WorkerCount.form),
            .value("memory", \.memory, .bytes(256 << 20)),
            .value("cpu", \.cpu, Form.duration(.seconds(1), .seconds(365 * 86400)).orNone),
            .value("stall", \.stall, .duration(.seconds(1), .seconds(86400))),
            .value("attempts", \.attempts, .integer(1...100)),
            .value("backoff_first", \.backoffFirst, .duration(.zero, .seconds(86400))),
            .value("backoff_most", \.backoffMost, .duration(.zero, .seconds(7 * 86400))),
            .value("reuse", \.reuse, .integer(1...1_000_000)),
            .value("checkpoint", \.checkpoint, .duration(.seconds(1), .seconds(3600))),
        ]

        package func faults() -> [Fault] {
            guard backoffMost < backoffFirst else { return [] }
            let text = "is \(Amount.text(backoffMost)), less than backoff_first, \(Amount.text(backoffFirst))"
            return [Fault(key: "backoff_most", text: text)]
        }
    }

    /// Where HTTP listens: `127.0.0.1:8420`, `[::1]:8420`.
    package struct Endpoint: Equatable, Codable, Sendable, CustomStringConvertible {
        package let host: String
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        package var isLoopback: Bool {
            if host == "localhost" || host == "::1" { return true }
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        }

        static let form = Form<Self>(
            allowed: "an address with a port, such as 127.0.0.1:8420 or [::1]:8420",
            parse: { text in
                guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                    (0...65535).contains(port)
                else { return nil }
                var host = text[..<colon]
                if host.hasPrefix("["), host.hasSuffix("]") {
                    host = host.dropFirst().dropLast()
                } else if host.contains(":") {
                    return nil
                }
                let isGood = host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".:-%".contains($0)) }
                return isGood && !host.isEmpty ? Endpoint(host: String(host), port: port) : nil
            }, show: \.description)
    }

    package struct HTTP: ConfigurationSection {
        /// Relative to the state folder; nil: no Unix socket.
        package var socket: String? = "http.sock"
        package var address: Endpoint? = Endpoint(host: "127.0.0.1", port: 8420)
        /// Names by which browsers may call, besides the address itself.
        package var hosts: [String] = []
        /// May be `credential:NAME`.
        package var tokenFile: String?
        package var uploadLimit: Int64 = 4 << 30

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("socket", \.socket, Form.path.orNone),
            .value("address", \.address, Endpoint.form.orNone),
            .values("hosts", \.hosts, .name),
            .value("token_file", \.tokenFile, Form.path.orNone),
            .value("upload_limit", \.uploadLimit, .bytes(0)),
        ]

        package func faults() -> [Fault] {
            guard let address, !address.isLoopback, tokenFile == nil else { return [] }
            let text = "is \(address), which others can reach; that needs http.token_file, a file with a secret token"
            return [Fault(key: "address", text: text)]
        }
    }

    package enum HookEvent: String, CaseIterable, Codable, Sendable {
        case done, failed, cancelled, stream
    }

    package struct Hook: ConfigurationSection {
        package var on: [HookEvent] = []
        /// The program and its arguments; no shell.
        package var command: [String] = []
        package var timeout = Duration.seconds(30)
        package var attempts = 3

        package init() {}

        package static let fields: [Field<Self>] = [
            .values("on", \.on, .choice),
            .values("command", \.command, .text),
            .value("timeout", \.timeout, .duration(.seconds(1), .seconds(3600))),
            .value("attempts", \.attempts, .integer(1...100)),
        ]

        package func faults() -> [Fault] {
            var faults: [Fault] = []
            if on.isEmpty { faults.append(Fault(key: "on", text: "is missing: done, failed, cancelled or stream")) }
            if command.isEmpty {
                faults.append(Fault(key: "command", text: "is missing: a list of the program and its arguments"))
            } else if !command[0].hasPrefix("/") {
                faults.append(Fault(key: "command", text: "begins with \(command[0]), which is no absolute path"))
            }
            return faults
        }
    }
}
