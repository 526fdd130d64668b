// Where labels and bars go so that they lie inside the picture and on nobody's face.

import Core

/// What is drawn of one face beside its box.
struct FacePlan {
    let face: FaceObservation
    let box: Area
    var label: Area?
    var panel: Panel?
}

struct Panel: Hashable, Codable {
    let area: Area
    let isCompact: Bool
    /// Which of the candidate places it took; kept from frame to frame, so that panels do not jump.
    let place: Int
}

struct Layout {
    private let room: Area
    private let metrics: Metrics
    private var obstacles: [Area]
    private let isAlone: Bool

    /// Crowds get labels only; bars would cover what they describe.
    private static let mostPanels = 12
    /// So much of a panel may lie on faces, labels and other panels before it is made compact, then dropped.
    private static let bearable = 0.12, bearableCompact = 0.3
    /// With so few faces the panel is drawn at the best place there is, however bad.
    private static let fewFaces = 2

    /// - Parameter room: the picture without the time strip.
    init(room: Area, metrics: Metrics, faces: [Area]) {
        self.room = room
        self.metrics = metrics
        obstacles = faces
        isAlone = faces.count == 1
    }

    /// Above the box, else below it, else within it.
    mutating func label(width: Int, height: Int, at box: Area) -> Area {
        let gap = metrics.line
        let tops = [box.top - gap - height, box.bottom + gap, box.top + gap]
        let candidates = tops.map { clamped(Area(x: box.left, y: $0, width: width, height: height)) }
        let chosen = candidates.enumerated().min { a, b in
            (covered(a.element), a.offset) < (covered(b.element), b.offset)
        }
        let area = chosen?.element ?? candidates[0]
        obstacles.append(area)
        return area
    }

    /// - Parameters:
    ///   - full: size of the panel with whole names.
    ///   - compact: with short names.
    mutating func panel(
        full: (width: Int, height: Int), compact: (width: Int, height: Int), at box: Area, faces: Int,
        last: Panel?
    ) -> Panel? {
        guard faces <= Self.mostPanels else { return nil }
        let few = faces <= Self.fewFaces
        guard few || box.height * 2 >= compact.height else { return nil }
        let wide = best(full, at: box, last: last?.isCompact == false ? last : nil, isCompact: false)
        var chosen: Panel?
        // A compact panel goes back to full only when there is plenty of room, or it would flicker at the limit.
        let limit = last?.isCompact == true ? Self.bearable / 4 : Self.bearable
        if Double(wide.covered) <= limit * Double(wide.panel.area.size) {
            chosen = wide.panel
        } else {
            let narrow = best(compact, at: box, last: last?.isCompact == true ? last : nil, isCompact: true)
            if few || Double(narrow.covered) <= Self.bearableCompact * Double(narrow.panel.area.size) {
                chosen = narrow.panel
            }
        }
        if let chosen { obstacles.append(chosen.area) }
        return chosen
    }

    private func best(
        _ size: (width: Int, height: Int), at box: Area, last: Panel?, isCompact: Bool
    ) -> (panel: Panel, covered: Int) {
        let gap = metrics.line + metrics.padding
        let (w, h) = size
        let labelHeight = Int(metrics.label.height) + 4 * metrics.padding
        var origins = [
            (box.right + gap, box.top), (box.left - gap - w, box.top), (box.right + gap, box.bottom - h),
            (box.left - gap - w, box.bottom - h), (box.left, box.bottom + gap),
            (box.left, box.top - labelHeight - h), (box.right - w, box.bottom + gap),
        ]
        // Corners far from the face would look like another face's.
        if isAlone { origins += [(room.left, room.bottom - h), (room.right - w, room.bottom - h)] }
        var chosen = Panel(area: clamped(Area(x: 0, y: 0, width: w, height: h)), isCompact: isCompact, place: 0)
        var least = Int.max
        for (place, origin) in origins.enumerated() {
            let area = clamped(Area(x: origin.0, y: origin.1, width: w, height: h))
            let loyalty = last?.place == place ? 0 : w * h / 20
            let cost = covered(area) + loyalty
            if cost < least {
                least = cost
                chosen = Panel(area: area, isCompact: isCompact, place: place)
            }
        }
        return (chosen, covered(chosen.area))
    }

    private func covered(_ area: Area) -> Int {
        obstacles.reduce(0) { $0 + area.cut(to: $1).size }
    }

    /// Moved into the room; what is larger than the room starts at its corner.
    private func clamped(_ area: Area) -> Area {
        let x = max(min(area.left, room.right - area.width), room.left)
        let y = max(min(area.top, room.bottom - area.height), room.top)
        return area.moved(x: x - area.left, y: y - area.top)
    }
}
