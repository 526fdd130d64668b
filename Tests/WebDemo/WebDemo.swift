// `WebDemo --port 8750 --folder DIR --video RESULT --picture RESULT [--socket PATH] [--tick-ms 200]`: prints one line with
// the link that signs in, then serves until SIGTERM or Ctrl-C.

import Foundation
import Logging
import ServiceLifecycle
import UnixSignals
import Web

struct DemoSettings: Sendable {
    var port = 8750
    var socket: String?
    var incoming = "/tmp"
    var video = ""
    var picture = ""
    var tick = Duration.milliseconds(200)
    var frame: String { picture + "/annotated.jpg" }

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let name = rest.popFirst(), let value = rest.popFirst() {
            switch name {
            case "--port": port = Int(value) ?? port
            case "--socket": socket = value
            case "--folder": incoming = value
            case "--video": video = value
            case "--picture": picture = value
            case "--tick-ms": tick = .milliseconds(Int(value) ?? 200)
            default: print("unknown option \(name)")
            }
        }
    }
}

@main
struct WebDemo {
    static func main() async throws {
        let settings = DemoSettings(CommandLine.arguments)
        let service = DemoService(settings)
        await service.fill()
        let token = AccessToken.generate()
        var listen = [ListenAddress.tcp(host: "127.0.0.1", port: settings.port)]
        if let socket = settings.socket { listen.append(.unix(Array(socket.utf8))) }
        let logger = Logger(label: "web-demo")
        let server = try WebServer(
            WebConfiguration(listen: listen, token: token, maximumUploadBytes: 2_000_000_000), service: service,
            logger: logger
        ) { addresses in
            // Not print: a pipe would keep the line in its buffer.
            let links = addresses.compactMap { token.signInLink($0) }.joined(separator: " ")
            FileHandle.standardOutput.write(Data("ready \(links)\n".utf8))
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [server, Pretending(service: service)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
    }
}

private struct Pretending: Service {
    let service: DemoService

    func run() async {
        await cancelWhenGracefulShutdown { try? await service.run() }
    }
}
