// Upsampling by nearest. Other ways to resize are refused: nothing that this engine is meant for has them.

import Onnx

extension Lowering {
    /// Not done yet, only noted: the sum that usually follows takes it over.
    mutating func resize(_ reader: NodeReader) throws(InferenceError) {
        let view = try planarView(reader, 0)
        let size = shape(view)
        let mode = try reader.string("mode", default: "nearest")
        guard mode == "nearest" else { throw reader.unsupported("mode \(mode); nearest is") }
        let factors = try factors(reader, size)
        // For whole factors these all take the pixel that the new one lies in.
        let place = try reader.string("coordinate_transformation_mode", default: "half_pixel")
        let rounding = try reader.string("nearest_mode", default: "round_prefer_floor")
        let isContained =
            place == "asymmetric" && rounding == "floor"
            || (place == "half_pixel" || place == "half_pixel_symmetric")
                && (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil")
        guard isContained || factors == Extent(height: 1, width: 1) else {
            throw reader.unsupported(
                "coordinates \(place) with \(rounding); asymmetric with floor, or half_pixel with rounding, is")
        }
        for name in ["antialias", "exclude_outside"] where try reader.integer(name, default: 0) != 0 {
            throw reader.unsupported(name)
        }
        bind(reader, upsampled: view, by: factors)
    }

    /// From `scales` or from `sizes`, whichever is given; inputs are X, roi, scales, sizes.
    private func factors(_ reader: NodeReader, _ size: MapShape) throws(InferenceError) -> Extent {
        if try reader.integers("axes") != nil { throw reader.unsupported("only some axes named") }
        let given: [Float]
        if let scales = try optionalFloats(reader, 2)?.values, !scales.isEmpty {
            given = scales
        } else if reader.input(3) != nil {
            let old = [1, size.channels, size.height, size.width]
            let sizes = try integers(reader, 3)
            given = zip(sizes, old).map { Float($0) / Float($1) }
        } else {
            throw reader.malformed("neither scales nor sizes")
        }
        guard given.count == 4, given[0] == 1, given[1] == 1,
            given[2...].allSatisfy({ 1...64 ~= $0 && $0 == $0.rounded() })
        else {
            throw reader.unsupported("by \(given); whole factors of 1 to 64 for rows and columns are")
        }
        return Extent(height: Int(given[2]), width: Int(given[3]))
    }

    /// Makes the upsampled map, where nothing has taken it over.
    mutating func enlarged(_ view: View, by factors: Extent, _ reader: NodeReader) throws(InferenceError) -> View {
        var size = shape(view)
        size.height *= factors.height
        size.width *= factors.width
        let output = try addMap(size, reader)
        append(.upsample(input: view.map, output: output, factors: factors))
        return .planar(output, size)
    }
}
