// How large things are drawn: everything follows from the shorter side of the picture, so that a label reads alike
// at 360p and at 1080p, upright or lying.

struct Metrics: Hashable {
    let line: Int
    let label: TextStyle
    let small: TextStyle
    let padding: Int
    let rowHeight: Int
    let barWidth: Int
    let compactBarWidth: Int
    let stripSingle: Int
    let stripLane: Int
    /// Below this there is room for boxes only.
    let hasText: Bool

    /// Smaller capitals of this font cannot be read.
    private static let smallestCapital = 7.5

    init(width: Int, height: Int) {
        let short = min(width, height)
        line = short < 100 ? 1 : min(max((short + 180) / 360, 2), 6)
        let capital = max(Double(short) / 60, Self.smallestCapital)
        let smallCapital = max(capital * 0.75, Self.smallestCapital)
        label = TextStyle(height: capital, thickness: max(Int(capital / 9), 1))
        small = TextStyle(height: smallCapital, thickness: max(Int(smallCapital / 11), 1))
        padding = max(Int(capital / 3), 2)
        rowHeight = Int(smallCapital * 1.6 + 0.5)
        barWidth = Int(smallCapital * 5.5)
        compactBarWidth = Int(smallCapital * 3.5)
        stripSingle = min(max(short / 80, 3), 16)
        stripLane = min(max(short / 150, 2), 10)
        hasText = short >= 72
    }
}
