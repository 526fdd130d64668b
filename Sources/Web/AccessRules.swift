// Who may do what: a decision on values, without I/O. RequestGate applies it to requests.

/// What is known about a request before its route is looked at.
struct AccessRequest: Sendable {
    enum Method: Sendable {
        case reading, changing
    }

    var method: Method
    var path: String
    /// `Host`, `Origin`, `Sec-Fetch-Site`, as they came.
    var host: String?
    var origin: String?
    var fetchSite: String?
    /// Of `Authorization: Bearer`, and of our cookie.
    var bearer: String?
    var cookie: String?
    /// The address on which the connection came in.
    var localAddress: String?
}

enum AccessDecision: Equatable, Sendable {
    case allowed
    /// 401: a token is missing or wrong.
    case tokenNeeded
    /// 421: the name is not one of ours, so some other page may be behind the request.
    case wrongHost
    /// 403: another page asked for it.
    case wrongOrigin
}

/// The rules of one address that is listened on.
struct AccessRules: Sendable {
    /// What holds no data of anybody: signs of life for monitors, and what the sign-in page needs.
    static let open: Set<String> = ["/healthz", "/readyz", "/assets/app.css", "/assets/icon.svg", "/session"]

    let listener: ListenAddress
    let token: AccessToken?
    let hostNames: Set<String>

    /// - Parameter machineName: counts where all interfaces are listened on.
    init(listener: ListenAddress, token: AccessToken?, hostNames: [String], machineName: String?) {
        self.listener = listener
        self.token = token
        var names = Set(hostNames.compactMap { HostName($0)?.name })
        if case .tcp(let host, _) = listener {
            if HostName.isAnyAddress(host) {
                if let machineName { names.insert(machineName.lowercased()) }
            } else {
                names.insert(host.lowercased())
            }
            if HostName.isAnyAddress(host) || HostName.isLoopback(host) {
                names.formUnion(["localhost", "127.0.0.1", "::1"])
            }
        }
        self.hostNames = names
    }

    func decide(_ request: AccessRequest) -> AccessDecision {
        guard case .tcp = listener else {
            // The socket's mode says who may come. Behind a reverse proxy a page may still be the one that asks.
            return isForeign(request) ? .wrongOrigin : .allowed
        }
        guard isOurs(request) else { return .wrongHost }
        if isForeign(request) { return .wrongOrigin }
        if Self.open.contains(request.path) { return .allowed }
        guard let token else { return .tokenNeeded }
        if let bearer = request.bearer { return token.matches(bearer.utf8) ? .allowed : .tokenNeeded }
        guard let cookie = request.cookie, token.matches(cookie.utf8) else { return .tokenNeeded }
        // A cookie comes by itself, so a change must say that our own page asked for it; every browser says one of both.
        if request.method == .changing, request.origin == nil, request.fetchSite == nil { return .wrongOrigin }
        return .allowed
    }

    /// The name only: the port is another one behind an SSH tunnel, and no page can make a browser lie about the name.
    private func isOurs(_ request: AccessRequest) -> Bool {
        guard let name = request.host.flatMap({ HostName($0) })?.name else { return false }
        return hostNames.contains(name) || name == request.localAddress
    }

    private func isForeign(_ request: AccessRequest) -> Bool {
        guard request.method == .changing else { return false }
        if let site = request.fetchSite, site != "same-origin", site != "none" { return true }
        guard let origin = request.origin else { return false }
        guard let host = request.host.flatMap({ HostName($0) }) else { return true }
        for (scheme, standardPort) in [("http://", 80), ("https://", 443)] where origin.hasPrefix(scheme) {
            guard let asking = HostName(origin.dropFirst(scheme.count)) else { return true }
            return asking.name != host.name || (asking.port ?? standardPort) != (host.port ?? standardPort)
        }
        // `null` and schemes of extensions are nobody we know.
        return true
    }
}
