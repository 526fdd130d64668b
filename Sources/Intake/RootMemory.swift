// Is the watched folder what it was? An unplugged disk or a share that is down shows an empty folder, or another one,
// and must never be read as "all files were deleted". Pure.

package enum RootState: Hashable, Sendable {
    case present
    /// Nothing can be said about files. Jobs whose inputs lie there should wait.
    case mountVanished(String)

    package var isPresent: Bool { self == .present }
}

package struct RootMemory: Sendable {
    package enum Observation: Hashable, Sendable {
        case missing(String)
        /// - Parameters:
        ///   - isEmpty: neither files nor folders, ignored ones aside.
        ///   - seesExpected: at least one of the files that were there, or ought to be, is there.
        case found(device: UInt64, isEmpty: Bool, seesExpected: Bool)
    }

    private var device: UInt64?

    package init() {}

    /// - Parameter expected: how many files ought to be there.
    package mutating func judge(_ observation: Observation, expected: Int) -> RootState {
        switch observation {
        case .missing(let reason):
            return .mountVanished("the watched folder is not there: \(reason)")
        case .found(_, isEmpty: true, _) where expected > 0:
            return .mountVanished(
                "the watched folder is empty, and \(expected) \(expected == 1 ? "file was" : "files were") in it: is "
                    + "its file system mounted? If they were removed on purpose, the next file clears this")
        case .found(let found, _, let seesExpected):
            // A share that is mounted again may have another number; its files tell that it is the same.
            if let device, device != found, expected > 0, !seesExpected {
                return .mountVanished(
                    "the watched folder lies on another device (\(found)) than before (\(device)), without the "
                        + "files that were in it: is its file system mounted?")
            }
            device = found
            return .present
        }
    }

    /// The device of the folder when it was last present.
    package var knownDevice: UInt64? { device }
}
