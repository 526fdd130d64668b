// What the ledger remembers beside the jobs: sightings, answers to "why", streams, the audit.

package import Foundation

extension Ledger {
    /// What a scan saw and what was decided about it.
    package struct Sighting: Sendable, Equatable {
        package let path: [UInt8]
        package let fingerprint: Fingerprint?
        /// A word: `waiting`, `ready`, `known`, `ignored`, `unreadable`, `gone`, ...
        package let verdict: String
        package let reason: String

        package init(path: [UInt8], fingerprint: Fingerprint?, verdict: String, reason: String) {
            self.path = path
            self.fingerprint = fingerprint
            self.verdict = verdict
            self.reason = reason
        }
    }

    /// One line of the answer to "why is this file not processed".
    package struct Event: Sendable, Equatable, CustomStringConvertible {
        package enum Kind: String, Sendable {
            case sighting, step, audit
        }

        package let at: Date
        package let kind: Kind
        package let path: [UInt8]
        package let job: Int64?
        package let text: String

        package var description: String { "\(at.ISO8601Format())  \(text)" }
    }

    package struct Why: Sendable, Equatable {
        /// In order of time.
        package let events: [Event]
        /// How things stand, in one sentence.
        package let now: String
    }

    /// Where a stream's numbers go on.
    package struct Stream: Sendable, Equatable {
        package var name: String
        /// Zero of its timestamps, microseconds since 1970.
        package var originMicroseconds: Int64
        package var nextFrame: Int64
        package var lastFaceID: Int64
        package var lastTimestampMicroseconds: Int64
        /// For people: `live`, `waiting`, ...
        package var state: String

        package init(
            name: String, originMicroseconds: Int64, nextFrame: Int64, lastFaceID: Int64,
            lastTimestampMicroseconds: Int64, state: String
        ) {
            self.name = name
            self.originMicroseconds = originMicroseconds
            self.nextFrame = nextFrame
            self.lastFaceID = lastFaceID
            self.lastTimestampMicroseconds = lastTimestampMicroseconds
            self.state = state
        }
    }

    /// What a person or the service's rules did to what was stored.
    package struct AuditEntry: Sendable, Equatable {
        package let at: Date
        /// `retry`, `cancel`, `purge`, `retention`, ...
        package let action: String
        package let what: String
        package let who: String
    }

    package struct Purged: Sendable, Equatable {
        package let jobs: [Job]
        /// They stay: cancel them first.
        package let running: [Job]
        /// Jobs of other inputs with the same content, whose results these were.
        package let bereft: [Job]
    }

    package struct Verification: Sendable, Equatable {
        /// All of them, oldest first, to be compared with the folders.
        package let jobs: [Job]
        /// What contradicts itself within the ledger; empty if it is sound.
        package let problems: [String]
    }
}
