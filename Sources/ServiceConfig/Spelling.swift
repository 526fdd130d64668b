// What somebody may have meant who wrote a key that is not known.

enum Spelling {
    /// `did you mean watch.quiet?`, or which keys there are.
    static func advice(for key: String, section: String, siblings: [String]) -> String {
        let prefix = section.isEmpty ? "" : section + "."
        if let near = nearest(to: key, among: siblings) { return "did you mean \(prefix)\(near)?" }
        let elsewhere = ServiceConfiguration.allKeys.map(\.path)
        let lastWords = elsewhere.filter { $0.split(separator: ".").last.map(String.init) == key }
        if let match = lastWords.first { return "did you mean \(match)?" }
        if section.isEmpty, let near = nearest(to: key, among: elsewhere) { return "did you mean \(near)?" }
        return "known here: " + siblings.joined(separator: ", ")
    }

    static func nearest(to word: String, among known: [String]) -> String? {
        let limit = max(1, min(3, word.count / 2))
        let scored = known.map { ($0, distance(word.lowercased(), $0.lowercased())) }.filter { $0.1 <= limit }
        return scored.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    /// Letters to add, drop, change or swap with their neighbour (Damerau 1964, restricted form).
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first), b = Array(second)
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
