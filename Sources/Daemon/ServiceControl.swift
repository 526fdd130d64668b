// What `emotiond jobs` asks: of the service that runs, over its Unix socket; where none runs, of the ledger itself,
// under the same lock.

internal import Foundation
internal import Ledger
package import Logging
package import ServiceConfig
internal import Web

package enum ServiceRequest: Sendable {
    /// States by commas, a part of the path, how many, and only jobs before this one.
    case list(states: String?, text: String?, limit: Int, before: Int64?)
    case show(Int64)
    case why(path: String)
    case retry(Int64)
    case cancel(Int64)
    case verify
    case purge(path: String)
}

package struct ServiceControl: Sendable {
    private let configuration: ServiceConfiguration
    private let version: String
    private let logger: Logger

    package init(_ configuration: ServiceConfiguration, version: String, logger: Logger) {
        self.configuration = configuration
        self.version = version
        self.logger = logger
    }

    /// The answer as JSON.
    ///
    /// - Throws: `ControlError`; `ServiceError` where neither a service nor the ledger can be asked.
    package func ask(_ request: ServiceRequest) async throws -> [UInt8] {
        do throws(ControlError) {
            let (method, target) = request.http
            return try ControlClient(socketPath: configuration.state.controlSocket).send(method, target)
        } catch {
            guard case .unreachable = error else { throw error }
            guard FileManager.default.fileExists(atPath: configuration.state.folder + "/emotiond.sqlite") else {
                throw error
            }
            return try await askLedger(request)
        }
    }

    private func askLedger(_ request: ServiceRequest) async throws -> [UInt8] {
        let ledger: Ledger
        let lock: StateLock
        do throws(LedgerError) {
            lock = try StateLock(folder: configuration.state.folder)
            ledger = try Ledger(lock)
        } catch {
            throw ServiceError(exit: error.exit, description: error.description)
        }
        let inputs = Inputs(configuration, ledger: ledger, version: version, logger: logger) { _ in }
        let board = Board()
        board.set(.starting, "no service runs")
        let view = StateView(
            StateView.Rooms(ledger: ledger, board: board, inputs: inputs, events: EventHub(), running: nil),
            configuration: configuration, version: version, workers: 0)
        let answer: Result<[UInt8], any Error>
        do { answer = .success(try await request.answer(view)) } catch let refusal as ServiceRefusal {
            answer = .failure(ControlError.answer(status: refusal.httpStatus, message: refusal.description))
        } catch {
            answer = .failure(error)
        }
        await ledger.close()
        withExtendedLifetime(lock) {}
        return try answer.get()
    }
}

extension ServiceRequest {
    var http: (method: String, target: String) {
        switch self {
        case .list(let states, let text, let limit, let before):
            var query = "limit=\(limit)"
            if let states { query += "&state=\(Self.encoded(states))" }
            if let text { query += "&q=\(Self.encoded(text))" }
            if let before { query += "&before=\(before)" }
            return ("GET", "/api/v1/jobs?\(query)")
        case .show(let id): return ("GET", "/api/v1/jobs/\(id)")
        case .why(let path): return ("GET", "/api/v1/why/\(Self.encodedPath(path))")
        case .retry(let id): return ("POST", "/api/v1/jobs/\(id)/retry")
        case .cancel(let id): return ("POST", "/api/v1/jobs/\(id)/cancel")
        case .verify: return ("GET", "/api/v1/verify")
        case .purge(let path): return ("DELETE", "/api/v1/files/\(Self.encodedPath(path))")
        }
    }

    fileprivate func answer(_ view: StateView) async throws -> [UInt8] {
        switch self {
        case .list(let states, let text, let limit, let before):
            let names = (states ?? "").split(separator: ",").map(String.init)
            let known = names.compactMap(Web.JobState.init(rawValue:))
            guard known.count == names.count else {
                throw ServiceRefusal.invalid("'\(states ?? "")' is no list of states")
            }
            return try Self.json(
                try await view.jobs(JobQuery(states: Set(known), text: text, limit: limit, before: before)))
        case .show(let id):
            guard let job = try await view.job(id) else { throw ServiceRefusal.notFound("there is no job \(id)") }
            return try Self.json(job)
        case .why(let path): return try Self.json(try await view.why(Array(path.utf8)))
        case .retry(let id): return try Self.json(try await view.retry(id))
        case .cancel(let id): return try Self.json(try await view.cancel(id))
        case .verify: return try Self.json(try await view.verify())
        case .purge(let path): return try Self.json(try await view.purge(Array(path.utf8)))
        }
    }

    private static func json(_ value: some Encodable) throws -> [UInt8] { [UInt8](try JSON.encode(value)) }

    private static func encoded(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~,")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }

    private static func encodedPath(_ path: String) -> String {
        path.split(separator: "/").map { encoded(String($0)) }.joined(separator: "/")
    }
}

extension ServiceRefusal {
    fileprivate var httpStatus: Int {
        switch self {
        case .notFound: 404
        case .conflict: 409
        case .invalid: 400
        case .unavailable: 503
        case .noSpace: 507
        }
    }
}
