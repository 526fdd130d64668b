// The raw outputs of YuNet 2023mar, and of any detector that answers in its form, as detections.
//
// Each of three heads (strides 8, 16, 32) has one cell a stride x stride block of the padded input, row by row:
// two probabilities (class, object), a box (centre as an offset from the cell's corner and log size, both in
// strides) and five points (offsets from the cell's corner in strides).

import Core

package struct YuNetDecoder {
    package static let strides = [8, 16, 32]
    /// The names of a head's four outputs, in the order of `Head`.
    package static func outputNames(stride: Int) -> [String] {
        ["cls_\(stride)", "obj_\(stride)", "bbox_\(stride)", "kps_\(stride)"]
    }

    package struct Head {
        package let stride: Int
        package let columns: Int
        package let rows: Int
        /// cells, cells, cells x 4, cells x 10
        package let classes, objects, boxes, points: UnsafeBufferPointer<Float>
        /// From the values of one cell to those of the next.
        let boxStride, pointStride: Int

        /// Nil where the buffers do not have the sizes that the input's ask for.
        package init?(
            stride: Int, columns: Int, rows: Int, classes: UnsafeBufferPointer<Float>,
            objects: UnsafeBufferPointer<Float>, boxes: UnsafeBufferPointer<Float>,
            points: UnsafeBufferPointer<Float>
        ) {
            let cells = columns * rows
            guard
                classes.count == cells, objects.count == cells, boxes.count == cells * 4,
                points.count == cells * 10
            else { return nil }
            self.stride = stride
            self.columns = columns
            self.rows = rows
            self.classes = classes
            self.objects = objects
            self.boxes = boxes
            self.points = points
            boxStride = 4
            pointStride = 10
        }

        /// - Parameter outputs: classes, objects, boxes, points. Classes and objects lie without gaps; boxes and
        ///   points may be part of something wider.
        init?(stride: Int, columns: Int, rows: Int, outputs: [CellValues]) {
            let cells = columns * rows
            guard outputs.map(\.channels) == [1, 1, 4, 10], cells > 0,
                outputs.allSatisfy({ $0.cells == cells && $0.stride >= $0.channels }),
                outputs[0].stride == 1, outputs[1].stride == 1
            else { return nil }
            func buffer(_ place: Int) -> UnsafeBufferPointer<Float> {
                let values = outputs[place]
                return UnsafeBufferPointer(
                    start: values.base, count: (cells - 1) * values.stride + values.channels)
            }
            (classes, objects, boxes, points) = (buffer(0), buffer(1), buffer(2), buffer(3))
            (boxStride, pointStride) = (outputs[2].stride, outputs[3].stride)
            self.stride = stride
            self.columns = columns
            self.rows = rows
        }
    }

    /// More candidates than any crowd has; a network gone wild must not cost minutes of suppression.
    private static let mostCandidates = 2000

    package let minimumScore: Float
    /// IoU above which two boxes are one face.
    package let overlap: Float
    /// Share of the smaller above which two boxes are one face.
    package let containment: Float
    private let exponential: (Float) -> Float

    package init(
        minimumScore: Float, overlap: Float, containment: Float = 1, exponential: @escaping (Float) -> Float
    ) {
        self.minimumScore = minimumScore
        self.overlap = overlap
        self.containment = containment
        self.exponential = exponential
    }

    package func decode(_ heads: [Head]) -> [Detection] {
        var candidates: [Detection] = []
        for head in heads { collect(head, into: &candidates) }
        if candidates.count > Self.mostCandidates {
            candidates.sort { $0.score > $1.score }
            candidates.removeLast(candidates.count - Self.mostCandidates)
        }
        return Suppression.keepBest(of: candidates, overlap: overlap, containment: containment)
    }

    private func collect(_ head: Head, into candidates: inout [Detection]) {
        // Compared before the root, as nearly every cell is background. The object's probability is 1 at most, so the
        // class alone tells of most cells that they are below. NaN compares false and falls out here.
        guard let classes = head.classes.baseAddress, let objects = head.objects.baseAddress else { return }
        let threshold = minimumScore * minimumScore
        for cell in 0..<head.columns * head.rows where classes[cell] >= threshold {
            let product = min(max(classes[cell], 0), 1) * min(max(objects[cell], 0), 1)
            guard product >= threshold, product > 0 else { continue }
            let detection = face(head, cell: cell, score: product.squareRoot())
            guard detection.box.width.isFinite, detection.box.height.isFinite, detection.box.width > 0,
                detection.box.height > 0, detection.box.x.isFinite, detection.box.y.isFinite
            else { continue }
            candidates.append(detection)
        }
    }

    private func face(_ head: Head, cell: Int, score: Float) -> Detection {
        let stride = Float(head.stride)
        let column = Float(cell % head.columns), row = Float(cell / head.columns)
        let box = head.boxes.baseAddress.map { $0 + cell * head.boxStride }
        let points = head.points.baseAddress.map { $0 + cell * head.pointStride }
        guard let box, let points else {
            return Detection(box: Box(x: 0, y: 0, width: 0, height: 0), score: 0, landmarks: nil)
        }
        let width = exponential(box[2]) * stride, height = exponential(box[3]) * stride
        func point(_ index: Int) -> Point {
            Point(x: (column + points[index * 2]) * stride, y: (row + points[index * 2 + 1]) * stride)
        }
        let landmarks = Landmarks(
            rightEye: point(0), leftEye: point(1), nose: point(2), rightMouth: point(3), leftMouth: point(4))
        return Detection(
            box: Box(
                x: (column + box[0]) * stride - width / 2, y: (row + box[1]) * stride - height / 2,
                width: width, height: height),
            score: score,
            landmarks: landmarks.points.allSatisfy { $0.x.isFinite && $0.y.isFinite } ? landmarks : nil)
    }
}
