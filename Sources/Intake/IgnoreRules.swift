// Which names are no inputs: files in the making, hidden ones, what other systems leave in folders.

internal import Glibc

package struct IgnoreRules: Sendable, Hashable {
    /// fnmatch(3) patterns, each for one component of a path, whatever the case of its letters.
    package static let defaultPatterns = [
        ".*", "._*", "*.part", "*.partial", "*.filepart", "*.crdownload", "*.tmp", "*~", "@eaDir", "#recycle",
        "_UNPACK_*", "lost+found", "Thumbs.db", "desktop.ini",
    ]
    package static let standard = IgnoreRules(checked: defaultPatterns)

    private let patterns: [Pattern]

    package init(patterns: [String]) throws(IntakeError) {
        for pattern in patterns {
            if let reason = Self.fault(of: pattern) { throw .badPattern(pattern, reason: reason) }
        }
        self.init(checked: patterns)
    }

    private init(checked patterns: [String]) { self.patterns = patterns.map(Pattern.init) }

    private static func fault(of pattern: String) -> String? {
        if pattern.isEmpty { return "it is empty" }
        if pattern.utf8.contains(0) { return "it holds a NUL" }
        if pattern.contains("/") { return "it is compared with single names, which have no slash" }
        return nil
    }

    /// The pattern that a name matches.
    func match(_ name: [UInt8]) -> String? {
        // Ours, while files are moved; never inputs, whatever the patterns are.
        if name.starts(with: Self.own) { return String(decoding: Self.own, as: UTF8.self) + "*" }
        return SystemError.withCString(name) { chars in patterns.first { $0.matches(chars) }?.text }
    }

    static let own = Array(".emotiond-".utf8)
}

/// One pattern of fnmatch(3). Without a locale set, bytes are compared, so names need not be UTF-8.
struct Pattern: Sendable, Hashable {
    let text: String
    private let chars: [CChar]
    private static let caseFold: Int32 = 16  // FNM_CASEFOLD, a GNU addition that the module does not show

    init(_ text: String) {
        self.text = text
        chars = text.utf8.map { CChar(bitPattern: $0) } + [0]
    }

    func matches(_ name: UnsafePointer<CChar>, flags: Int32 = 0) -> Bool {
        chars.withUnsafeBufferPointer { pattern in
            guard let start = pattern.baseAddress else { return false }
            return fnmatch(start, name, Self.caseFold | flags) == 0
        }
    }
}

/// Which sub-folders go first.
package struct PriorityRules: Sendable, Hashable {
    private struct Rule: Hashable { let pattern: Pattern, priority: Int }

    private let rules: [Rule]
    package static let none = PriorityRules(rules: [])

    private init(rules: [Rule]) { self.rules = rules }

    /// Patterns of fnmatch(3) for the folder's path below the watched one (`urgent`, `*/live`, `tenant-?/*`); `*`
    /// stops at no slash. A rule holds for the folder and all below it, and the first that matches counts.
    package init(_ rules: [(pattern: String, priority: Int)]) throws(IntakeError) {
        for (pattern, _) in rules {
            if pattern.isEmpty { throw .badPattern(pattern, reason: "it is empty") }
            if pattern.utf8.contains(0) { throw .badPattern(pattern, reason: "it holds a NUL") }
        }
        self.init(rules: rules.map { Rule(pattern: Pattern(Self.trimmed($0.pattern)), priority: $0.priority) })
    }

    /// A higher number goes first; 0 where no rule says anything.
    package func priority(of path: [UInt8]) -> Int {
        guard !rules.isEmpty else { return 0 }
        var folders: [[UInt8]] = []
        var folder = Paths.parent(path)
        while !folder.isEmpty {
            folders.append(folder)
            folder = Paths.parent(folder)
        }
        let rule = rules.first { rule in
            folders.contains { SystemError.withCString($0) { rule.pattern.matches($0) } }
        }
        return rule?.priority ?? 0
    }

    private static func trimmed(_ pattern: String) -> String {
        var rest = pattern[...]
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        return String(rest)
    }
}
