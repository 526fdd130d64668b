// What the ledger knows, as values. Paths are bytes: of inputs relative to incoming/, of results to results/.
// The types live in `Ledger`, since the actor hides the module of its name.

package import Foundation

extension Ledger {
    package enum State: String, Codable, Sendable, CaseIterable {
        case queued, running, done, failed, cancelled
    }

    package enum ResultStatus: String, Codable, Sendable, CaseIterable {
        case complete, partial, skipped
    }

    /// Which file it is: the same path with another fingerprint is another input.
    package struct Fingerprint: Hashable, Sendable {
        package let sizeBytes: Int64
        package let mtimeNanoseconds: Int64
        package let inode: UInt64

        package init(sizeBytes: Int64, mtimeNanoseconds: Int64, inode: UInt64) {
            self.sizeBytes = sizeBytes
            self.mtimeNanoseconds = mtimeNanoseconds
            self.inode = inode
        }
    }

    package struct Input: Hashable, Sendable {
        package let path: [UInt8]
        package let fingerprint: Fingerprint
        package let priority: Int

        package init(path: [UInt8], fingerprint: Fingerprint, priority: Int = 0) {
            self.path = path
            self.fingerprint = fingerprint
            self.priority = priority
        }
    }

    package enum Enqueued: Sendable, Equatable {
        case queued(Job)
        /// The same file was here before.
        case known(Job)

        package var job: Job {
            switch self {
            case .queued(let job), .known(let job): job
            }
        }
    }

    package struct Known: Sendable, Equatable {
        package let fingerprint: Fingerprint
        package let job: Int64
        package let state: State
    }

    /// Stands for one run of a job. The numbers of a job only rise, over restarts and retries too, so that a worker
    /// that comes too late can never speak for a later run.
    package struct Attempt: Hashable, Sendable {
        package let job: Int64
        package let number: Int

        package init(job: Int64, number: Int) {
            self.job = job
            self.number = number
        }
    }

    package struct Job: Sendable, Equatable, Identifiable {
        package let id: Int64
        package let path: [UInt8]
        package let fingerprint: Fingerprint
        package let state: State
        package let priority: Int
        /// The present run, or the last one; 0 before the first.
        package let attempt: Int
        /// Runs that count against the limit; a retry by a person sets it to 0.
        package let failures: Int
        /// Process id, while running.
        package let worker: Int32?
        /// A person asked for it again: the result replaces the one that is there.
        package let replaces: Bool
        /// A person wants the running job to end.
        package let cancelRequested: Bool
        package let sha256: String?
        package let settingsHash: String?
        package let exitCode: Int32?
        package let reason: String?
        /// Last lines of the worker's log.
        package let log: [String]
        package let result: [UInt8]?
        package let resultStatus: ResultStatus?
        /// The job whose result answers for this one.
        package let answeredBy: Int64?
        /// Where the input lies now, as the caller wrote it down; nil: where it was.
        package let placedAt: [UInt8]?
        package let created: Date
        package let started: Date?
        package let finished: Date?
        package let notBefore: Date?

        package var token: Attempt { Attempt(job: id, number: attempt) }
    }

    /// How a run ended well.
    package struct JobResult: Sendable, Equatable {
        package var status: ResultStatus
        package var path: [UInt8]?
        package var sha256: String?
        package var settingsHash: String?
        package var exitCode: Int32
        package var answeredBy: Int64?

        package init(
            status: ResultStatus, path: [UInt8]?, sha256: String?, settingsHash: String?, exitCode: Int32 = 0,
            answeredBy: Int64? = nil
        ) {
            self.status = status
            self.path = path
            self.sha256 = sha256
            self.settingsHash = settingsHash
            self.exitCode = exitCode
            self.answeredBy = answeredBy
        }
    }

    package enum Cancellation: Sendable, Equatable {
        case cancelled
        /// It runs: the worker must let go, then `cancelled(_:)`.
        case asked(Attempt, worker: Int32?)
        case tooLate(State)
        case unknown
    }

    /// One change of a job's state.
    package struct Step: Sendable, Equatable {
        package let at: Date
        package let attempt: Int
        package let state: State
        package let reason: String
    }

    package struct Detail: Sendable, Equatable {
        package let job: Job
        /// Oldest first.
        package let steps: [Step]
    }

    /// Which jobs to list.
    package struct Filter: Sendable, Equatable {
        /// Empty: all.
        package var states: Set<State>
        /// A path, or a folder with all below it.
        package var under: [UInt8]?
        /// Jobs older than this one: `Page.next` of the page before.
        package var before: Int64?
        package var limit: Int

        package init(states: Set<State> = [], under: [UInt8]? = nil, before: Int64? = nil, limit: Int = 100) {
            self.states = states
            self.under = under
            self.before = before
            self.limit = limit
        }
    }

    package struct Page: Sendable, Equatable {
        /// Newest first.
        package let jobs: [Job]
        /// Nil on the last page.
        package let next: Int64?
    }

    package struct Counts: Sendable, Equatable {
        package let states: [State: Int]
        package let results: [ResultStatus: Int]
    }
}
