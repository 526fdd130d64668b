// Where model files are looked for, in one order for every command.

import Glibc

package struct ModelSearch: Sendable {
    package struct Place: Sendable {
        package let directory: String
        package let why: String
    }

    package let places: [Place]

    /// - Parameters:
    ///   - environment: the value of EMOTIOND_MODELS, folders separated by colons.
    ///   - executable: path of the running binary.
    package init(environment: String?, executable: String) {
        var places = (environment ?? "").split(separator: ":").map {
            Place(directory: String($0), why: "EMOTIOND_MODELS")
        }
        let beside = executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
        let prefix = beside.hasSuffix("/bin") ? String(beside.dropLast(4)) : beside + "/.."
        places.append(Place(directory: prefix + "/share/emotiond/models", why: "installed"))
        places.append(Place(directory: beside + "/emotiond_emotiond.resources/Models", why: "beside the binary"))
        places.append(Place(directory: beside + "/Models", why: "beside the binary"))
        places.append(Place(directory: beside, why: "beside the binary"))
        self.places = places
    }

    /// The first place that has one of the names, best name first within a place.
    package func find(_ names: [String]) -> (path: String, why: String)? {
        for place in places {
            for name in names {
                let path = place.directory + "/" + name
                if access(path, R_OK) == 0 { return (path, place.why) }
            }
        }
        return nil
    }

    package static let emotionNames = ["emotion.onnx"]
    package static let faceNames = ["faces.onnx"]
    package static let yunetNames = ["face_detection_yunet_2023mar.onnx", "face_detection_yunet_2022mar.onnx"]

}
