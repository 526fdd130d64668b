// `--detector-engine opencv`: our own detector's file by cv::dnn.

package import Core

/// One thread at a time.
package final class OpenCVFrameEngine: FrameEngine {
    package let name = "opencv"
    private let network: Network
    private let mean: Float
    private let scale: Float
    /// Where each of `OwnDetector.outputNames` is among the network's outputs.
    private let places: [Int]

    /// - Parameter name: the file, for messages.
    package init(
        bytes: UnsafeBufferPointer<UInt8>, name: String, mean: Float, scale: Float
    ) throws(FacesError) {
        network = try Network(bytes: bytes, name: name, what: "face detector")
        self.mean = mean
        self.scale = scale
        let names = network.outputNames
        places = OwnDetector.outputNames.compactMap(names.firstIndex(of:))
        guard places.count == OwnDetector.outputNames.count else { throw .notADetector(path: name, outputs: names) }
    }

    package func run(_ luma: ImageView, width: Int, height: Int) throws {
        try network.run(luma: luma, width: width, height: height, mean: mean, scale: scale)
    }

    package func output(_ place: Int) -> CellValues? {
        let values = network.output(places[place]), channels = OwnDetector.outputChannels[place]
        guard let base = values.baseAddress, values.count % channels == 0 else { return nil }
        return CellValues(base: base, cells: values.count / channels, channels: channels, stride: channels)
    }
}
