// Which results have lived long enough. Pure; `ResultStore` lists and removes.

/// A published result folder.
package struct StoredResult: Hashable, Sendable {
    /// Below `results/`.
    package let path: [UInt8]
    /// Of all files in it.
    package let bytes: UInt64
    /// Wall time since 1970: when its run.json was written.
    package let publishedNanoseconds: Int64

    package init(path: [UInt8], bytes: UInt64, publishedNanoseconds: Int64) {
        self.path = path
        self.bytes = bytes
        self.publishedNanoseconds = publishedNanoseconds
    }
}

package struct Retention: Hashable, Sendable {
    /// Nil for ever.
    package let maxAge: Duration?
    /// Of all results together; nil for any number.
    package let maxTotalBytes: UInt64?

    package init(maxAge: Duration?, maxTotalBytes: UInt64?) {
        self.maxAge = maxAge
        self.maxTotalBytes = maxTotalBytes
    }

    /// What is to be removed, oldest first.
    ///
    /// - Parameters:
    ///   - nowNanoseconds: wall time since 1970. Results of the future (a clock that was wrong) are not old.
    ///   - keeping: paths that stay whatever their age; their bytes count.
    package func victims(
        of results: [StoredResult], nowNanoseconds: Int64, keeping: Set<[UInt8]> = []
    ) -> [StoredResult] {
        let removable = results.filter { !keeping.contains($0.path) }.sorted { a, b in
            a.publishedNanoseconds != b.publishedNanoseconds
                ? a.publishedNanoseconds < b.publishedNanoseconds : a.path.lexicographicallyPrecedes(b.path)
        }
        var total = results.reduce(UInt64(0)) { Self.sum($0, $1.bytes) }
        var victims: [StoredResult] = []
        for result in removable {
            let isTooMuch = maxTotalBytes.map { total > $0 } ?? false
            // Sorted by age: once neither rule asks for one, none asks for the later ones.
            guard isTooMuch || isTooOld(result, nowNanoseconds) else { break }
            victims.append(result)
            total -= min(total, result.bytes)
        }
        return victims
    }

    private func isTooOld(_ result: StoredResult, _ nowNanoseconds: Int64) -> Bool {
        guard let maxAge else { return false }
        let (age, overflow) = nowNanoseconds.subtractingReportingOverflow(result.publishedNanoseconds)
        return !overflow && Duration.nanoseconds(age) > maxAge
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
