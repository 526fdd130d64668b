// Colours of the overlay, and how they look in the planes of a picture.

package import Core

/// 8-bit R'G'B'.
package struct Colour: Hashable, Sendable {
    package let red: UInt8
    package let green: UInt8
    package let blue: UInt8

    package init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    static let white = Colour(red: 255, green: 255, blue: 255)
    static let grey = Colour(red: 150, green: 150, blue: 150)
}

/// A colour in the samples of one picture: BT.601, as everywhere in this program.
struct PlanarColour: Hashable {
    let y: UInt8
    let u: UInt8
    let v: UInt8

    init(_ colour: Colour, range: LumaRange) {
        let red = Float(colour.red), green = Float(colour.green), blue = Float(colour.blue)
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue
        let (scale, offset, chroma): (Float, Float, Float) =
            range == .limited ? (219.0 / 255, 16, 224.0 / 255) : (1, 0, 1)
        y = UInt8(min(max(luma * scale + offset, 0), 255))
        u = UInt8(min(max((blue - luma) * 0.564 * chroma + 128, 0), 255))
        v = UInt8(min(max((red - luma) * 0.713 * chroma + 128, 0), 255))
    }
}

package enum Palette {
    /// One per emotion, apart from each other also in grey and for most colour-blind eyes.
    package static func colour(of emotion: Emotion) -> Colour {
        switch emotion {
        case .angry: Colour(red: 230, green: 60, blue: 50)
        case .disgust: Colour(red: 120, green: 190, blue: 60)
        case .fear: Colour(red: 170, green: 100, blue: 230)
        case .happy: Colour(red: 250, green: 205, blue: 50)
        case .sad: Colour(red: 70, green: 130, blue: 240)
        case .surprise: Colour(red: 250, green: 140, blue: 40)
        case .neutral: Colour(red: 190, green: 195, blue: 200)
        }
    }

    /// Labels beyond the seven, and faces without probabilities, are white.
    static func colour(ofLabel label: String) -> Colour {
        Emotion.allCases.first { $0.name == label }.map(colour(of:)) ?? .white
    }
}
