// Where the server listens and what it allows.

package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Path of a socket of mode 0660: whoever may open it may do everything.
    case unix([UInt8])
    /// Port 0: any free one, told by `onReady`.
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unix(let path): "unix:" + String(decoding: path, as: UTF8.self)
        case .tcp(let host, let port): "\(HostName.inAddress(host)):\(port)"
        }
    }
}

package struct WebConfiguration: Sendable {
    package var listen: [ListenAddress]
    /// Needed as soon as one address is a TCP one.
    package var token: AccessToken?
    /// Names under which the service is also reached, by a reverse proxy for instance; with any port.
    package var hostNames: [String]
    package var maximumUploadBytes: Int64
    /// Between two signs of life to a listener of events.
    package var heartbeat: Duration
    /// What a stop leaves to answers under way.
    package var shutdownGrace: Duration
    package var maximumConnections: Int

    package init(
        listen: [ListenAddress], token: AccessToken? = nil, hostNames: [String] = [],
        maximumUploadBytes: Int64 = 20_000_000_000, heartbeat: Duration = .seconds(15),
        shutdownGrace: Duration = .milliseconds(1500), maximumConnections: Int = 512
    ) {
        self.listen = listen
        self.token = token
        self.hostNames = hostNames
        self.maximumUploadBytes = maximumUploadBytes
        self.heartbeat = heartbeat
        self.shutdownGrace = shutdownGrace
        self.maximumConnections = maximumConnections
    }

    func validate() throws(WebError) {
        guard !listen.isEmpty else { throw .nothingToListenOn }
        for address in listen {
            if case .tcp = address, token == nil { throw .tokenRequired(address.description) }
        }
    }
}
