// What makes faces unrecognisable in pictures that are kept, before anything else is drawn on them.

import Core
import Results

/// Pictures of one source, in order.
struct FaceCover {
    /// Nil where faces may be shown.
    /// - Throws: where they must not be shown and cannot be covered: pictures are then not kept by mistake.
    init?(_ pictures: StreamDescription.Pictures) throws(PipelineError) {
        guard pictures == .blurred else { return nil }
        throw PipelineError(
            .configuration, "video 'blurred' is not available for streams in this version; use 'none' or 'annotated'")
    }

    /// - Parameter result: In pixels of the picture.
    mutating func draw(_ result: FrameResult, on picture: PlanarPicture) {}
}
