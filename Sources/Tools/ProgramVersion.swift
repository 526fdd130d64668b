// The one place that says which version this is.

import CBuild

package enum ProgramVersion {
    package static let number = "0.1.0"
    /// Full hash of the commit it was built from, or "unknown".
    package static var commit: String { String(cString: cbuild_commit()) }
}
