// What can go wrong with a file on its way in or out. Exit codes are decided by the command, from `kind`.

import CFFmpeg

package enum MediaError: Error, Equatable, Sendable {
    /// The file is not there, may not be read, or is no regular file.
    case noInput(path: String, reason: String)
    /// Nothing in it that FFmpeg, as we allow it, reads as a picture or video.
    case notMedia(path: String, reason: String)
    /// A container with a video stream of which not one frame can be decoded.
    case damaged(path: String, reason: String)
    case limitExceeded(path: String, limit: MediaLimit, value: Int64)
    case readFailed(path: String, code: Int32)
    case cannotCreate(path: String, code: Int32)
    case noSpace(path: String)
    case writeFailed(path: String, code: Int32)
    case noEncoder(names: [String])
    /// Pieces of a video that do not fit together: not those that were written.
    case segmentsDiffer(path: String, expected: Int, found: Int)
    case cancelled
    /// A live source that does not answer, refuses, or has no pictures. Names are redacted.
    case unreachable(source: String, reason: String)
    /// A live source that is connected but silent.
    case stalled(source: String, seconds: Double)
    /// A live source's URL that cannot be used at all.
    case badSource(source: String, reason: String)
    case outOfMemory(whatFor: String)
    /// FFmpeg refused something that does not depend on the input.
    case libraryFailed(operation: String, code: Int32)

    /// What the command's exit code and the job's failure code are made from.
    package enum Kind: Sendable {
        case noInput, notMedia, inputOutput, cannotCreate, noSpace, cancelled, unavailable, badSource, internalError
    }

    package var kind: Kind {
        switch self {
        case .noInput: .noInput
        case .notMedia, .damaged, .limitExceeded: .notMedia
        case .readFailed, .writeFailed: .inputOutput
        case .cannotCreate: .cannotCreate
        case .noSpace: .noSpace
        case .cancelled: .cancelled
        case .noEncoder, .segmentsDiffer, .outOfMemory, .libraryFailed: .internalError
        case .unreachable, .stalled: .unavailable
        case .badSource: .badSource
        }
    }
}

extension MediaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noInput(let path, let reason): "\(path): \(reason)"
        case .notMedia(let path, let reason): "\(path): not a video or picture that can be read (\(reason))"
        case .damaged(let path, let reason): "\(path): not one frame can be decoded (\(reason))"
        case .limitExceeded(let path, let limit, let value):
            "\(path): \(limit.name) is \(value), more than the limit of \(limit.maximum); raise it with \(limit.option)"
        case .readFailed(let path, let code): "\(path): reading failed: \(errorText(code))"
        case .cannotCreate(let path, let code): "\(path): cannot be created: \(errorText(code))"
        case .noSpace(let path): "\(path): no space left to write it; free some and run again"
        case .writeFailed(let path, let code): "\(path): writing failed: \(errorText(code))"
        case .noEncoder(let names): "FFmpeg here has none of these encoders: \(names.joined(separator: ", "))"
        case .segmentsDiffer(let path, let expected, let found):
            "\(path): the pieces of the video do not fit together (\(expected) expected, \(found) found)"
        case .cancelled: "cancelled"
        case .unreachable(let source, let reason): "\(source): cannot be read (\(reason))"
        case .stalled(let source, let seconds): "\(source): no picture for \(seconds) s"
        case .badSource(let source, let reason): "\(source): \(reason)"
        case .outOfMemory(let whatFor): "no memory for \(whatFor)"
        case .libraryFailed(let operation, let code): "\(operation) failed: \(errorText(code))"
        }
    }
}

/// FFmpeg's sentence for an error code (AVERROR; those of the system are negated errno values).
func errorText(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let base = buffer.baseAddress else { return "error \(code)" }
        base[0] = 0
        av_strerror(code, base, buffer.count)
        return String(cString: base)
    }
}

/// A path for people: bytes that are not UTF-8 become U+FFFD, control characters their escapes.
package func displayName(ofPath path: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: path, as: UTF8.self).unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}

/// A path as C takes it; the bytes hold no NUL, which no readdir or argv can give.
func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }
