// Step 8: what the analysis says of a frame, drawn into its planes: a box a face, its id with the leading emotion, a
// bar an emotion, and the strip of time at the bottom.

package import Core

package struct OverlayStyle: Hashable, Sendable {
    package var showsBars = true
    package var showsStrip = true
    /// Below this the leading emotion is not named.
    package var uncertainBelow: Float = 0

    package init() {}
}

/// What a painter remembers from frame to frame.
package struct PainterState: Hashable, Sendable, Codable {
    package static let version = 1

    let strip: TimeStrip
    let panels: [Int: Panel]
}

/// Draws frame after frame of one source, in order.
package struct Painter: Sendable {
    private let labels: [String]
    private let shortLabels: [String]
    private let colours: [Colour]
    private let notice: String?
    private let style: OverlayStyle
    private var strip: TimeStrip
    private var lastPanels: [Int: Panel] = [:]

    /// - Parameters:
    ///   - labels: of the probabilities, in their order.
    ///   - notice: a line at the top of every frame, such as that no model was given.
    ///   - strip: the time that the strip at the bottom spans.
    package init(
        labels: [String], notice: String? = nil, strip: TimeStrip = TimeStrip(duration: nil),
        style: OverlayStyle = OverlayStyle()
    ) {
        self.labels = labels
        shortLabels = labels.map { String($0.prefix(3)) }
        colours = labels.map(Palette.colour(ofLabel:))
        self.notice = notice.map(Lettering.drawable)
        self.strip = strip
        self.style = style
    }

    /// A painter of the same source that takes it over draws on as this one.
    package var state: PainterState {
        get { PainterState(strip: strip, panels: lastPanels) }
        set {
            strip = newValue.strip
            lastPanels = newValue.panels
        }
    }

    package mutating func draw(_ result: FrameResult, on picture: PlanarPicture) {
        let canvas = Canvas(picture)
        let metrics = Metrics(width: canvas.bounds.width, height: canvas.bounds.height)
        var room = canvas.bounds
        strip.add(result)
        if style.showsStrip, metrics.hasText { room.bottom -= drawStrip(on: canvas, metrics) }

        let plans = plan(result.faces, room: room, metrics)
        lastPanels = [:]
        for plan in plans {
            let leader = leader(of: plan.face)
            canvas.outline(plan.box, thickness: metrics.line, leader.colour)
            if let area = plan.label { drawLabel(leader.text, in: area, leader.colour, on: canvas, metrics) }
            if let panel = plan.panel, let probabilities = plan.face.probabilities {
                lastPanels[plan.face.id] = panel
                drawBars(probabilities, in: panel, on: canvas, metrics)
            }
        }
        if let notice, metrics.hasText { drawNotice(notice, on: canvas, metrics) }
    }

    // MARK: What goes where

    private func plan(_ faces: [FaceObservation], room: Area, _ metrics: Metrics) -> [FacePlan] {
        var plans = faces.compactMap { face in Self.area(of: face.box).map { FacePlan(face: face, box: $0) } }
        guard metrics.hasText else { return plans }
        var layout = Layout(room: room, metrics: metrics, faces: plans.map(\.box))
        for index in plans.indices where !plans[index].box.cut(to: room).isEmpty {
            let width = metrics.label.width(of: leader(of: plans[index].face).text)
            plans[index].label = layout.label(
                width: width + 3 * metrics.padding, height: Int(metrics.label.height) + 2 * metrics.padding,
                at: plans[index].box)
        }
        guard style.showsBars else { return plans }
        let full = panelSize(names: labels, bar: metrics.barWidth, metrics)
        let compact = panelSize(names: shortLabels, bar: metrics.compactBarWidth, metrics)
        guard compact.width < room.width, compact.height < room.height else { return plans }
        for index in plans.indices
        where plans[index].face.probabilities?.values.count == labels.count && plans[index].label != nil {
            plans[index].panel = layout.panel(
                full: full, compact: compact, at: plans[index].box, faces: plans.count,
                last: lastPanels[plans[index].face.id])
        }
        return plans
    }

    /// Nil for boxes that are no places in any picture.
    private static func area(of box: Box) -> Area? {
        let limit: Float = 1_048_576
        guard box.width > 0, box.height > 0, abs(box.x) < limit, abs(box.y) < limit, box.width < limit,
            box.height < limit
        else { return nil }
        return Area(
            left: Int(box.x.rounded()), top: Int(box.y.rounded()), right: Int((box.x + box.width).rounded()),
            bottom: Int((box.y + box.height).rounded()))
    }

    private func panelSize(names: [String], bar: Int, _ metrics: Metrics) -> (width: Int, height: Int) {
        let text = names.map { metrics.small.width(of: $0) }.max() ?? 0
        return (
            text + bar + 4 * metrics.padding, names.count * metrics.rowHeight + 2 * metrics.padding
        )
    }

    /// `#3 happy 87%`, or the id alone where nothing can be said.
    private func leader(of face: FaceObservation) -> (text: String, colour: Colour) {
        guard let (index, value) = face.probabilities?.largest, labels.indices.contains(index), value.isFinite else {
            return ("#\(face.id)", .white)
        }
        guard value >= style.uncertainBelow else { return ("#\(face.id) unsure", .white) }
        return ("#\(face.id) \(labels[index]) \(Int((min(max(value, 0), 1) * 100).rounded()))%", colours[index])
    }

    // MARK: Drawing

    private func drawLabel(_ text: String, in area: Area, _ colour: Colour, on canvas: Canvas, _ metrics: Metrics) {
        canvas.shade(area)
        canvas.fill(Area(x: area.left, y: area.top, width: metrics.line, height: area.height), colour)
        canvas.text(
            text, x: area.left + metrics.line + metrics.padding, baseline: area.bottom - metrics.padding,
            metrics.label)
    }

    private func drawBars(_ probabilities: Probabilities, in panel: Panel, on canvas: Canvas, _ metrics: Metrics) {
        let names = panel.isCompact ? shortLabels : labels
        let area = panel.area
        canvas.shade(area)
        let barWidth = panel.isCompact ? metrics.compactBarWidth : metrics.barWidth
        let barLeft = area.right - metrics.padding - barWidth
        let barHeight = max(Int(metrics.small.height * 0.8), 2)
        for (index, value) in probabilities.values.enumerated() {
            let top = area.top + metrics.padding + index * metrics.rowHeight
            let baseline = top + (metrics.rowHeight + Int(metrics.small.height)) / 2
            canvas.text(names[index], x: area.left + metrics.padding, baseline: baseline, metrics.small)
            let barTop = top + (metrics.rowHeight - barHeight) / 2
            let share = value.isFinite ? min(max(value, 0), 1) : 0
            let length = Int((share * Float(barWidth)).rounded())
            // The foot shows where the bar begins even when there is none.
            canvas.fill(Area(x: barLeft - 1, y: barTop, width: 1, height: barHeight), .grey)
            canvas.fill(Area(x: barLeft, y: barTop, width: length, height: barHeight), colours[index])
        }
    }

    /// Returns the height taken from the bottom of the picture.
    private func drawStrip(on canvas: Canvas, _ metrics: Metrics) -> Int {
        let lanes = max(strip.usedLanes, 1)
        let laneHeight = lanes == 1 ? metrics.stripSingle : metrics.stripLane
        let bounds = canvas.bounds
        let height = lanes * laneHeight + 2
        let top = bounds.bottom - height
        canvas.shade(Area(left: 0, top: top, right: bounds.right, bottom: bounds.bottom))
        func x(_ column: Int) -> Int { column * bounds.width / TimeStrip.columns }
        for lane in 0..<lanes {
            var column = 0
            while column < TimeStrip.columns {
                let label = strip.label(lane: lane, column: column)
                var end = column + 1
                while end < TimeStrip.columns, strip.label(lane: lane, column: end) == label { end += 1 }
                if let label, colours.indices.contains(label) {
                    canvas.fill(
                        Area(
                            left: x(column), top: top + 1 + lane * laneHeight, right: max(x(end), x(column) + 1),
                            bottom: top + 1 + (lane + 1) * laneHeight - (lanes > 1 ? 1 : 0)),
                        colours[label])
                }
                column = end
            }
        }
        canvas.fill(
            Area(x: x(strip.cursor), y: top, width: max(metrics.line / 2, 1) + 1, height: height), .white)
        return height
    }

    /// In as many lines as the picture's width asks for, up to half its height.
    private func drawNotice(_ notice: String, on canvas: Canvas, _ metrics: Metrics) {
        let room = canvas.bounds.width - 2 * metrics.padding
        let most = max(canvas.bounds.height / 2 / metrics.rowHeight, 1)
        let lines = Lettering.lines(notice, within: room, metrics.small.width(of:)).prefix(most)
        let width = (lines.map(metrics.small.width(of:)).max() ?? 0) + 2 * metrics.padding
        let top = Int(metrics.small.height) + metrics.padding
        canvas.shade(
            Area(x: 0, y: 0, width: width, height: top + (lines.count - 1) * metrics.rowHeight + metrics.padding))
        for (number, line) in lines.enumerated() {
            canvas.text(line, x: metrics.padding, baseline: top + number * metrics.rowHeight, metrics.small)
        }
    }
}
