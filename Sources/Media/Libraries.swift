// What FFmpeg is installed here, and where its log goes.

import CFFmpeg
import CFFmpegShims
import Core
import Synchronization

package struct LibraryVersion: Hashable, Sendable {
    package let name: String
    package let version: String
}

package func libraryVersions() -> [LibraryVersion] {
    [
        ("FFmpeg", String(cString: av_version_info())), ("libavformat", dotted(avformat_version())),
        ("libavcodec", dotted(avcodec_version())), ("libavutil", dotted(avutil_version())),
        ("libswscale", dotted(swscale_version())), ("libswresample", dotted(swresample_version())),
    ].map { LibraryVersion(name: $0.0, version: $0.1) }
}

private func dotted(_ version: UInt32) -> String { "\(version >> 16).\(version >> 8 & 255).\(version & 255)" }

/// Licence of the codec library, which decides that of a binary linked to it.
package func codecLicense() -> String { String(cString: avcodec_license()) }

package func isEncoderAvailable(_ name: String) -> Bool { avcodec_find_encoder_by_name(name) != nil }
package func isDecoderAvailable(_ name: String) -> Bool { avcodec_find_decoder_by_name(name) != nil }

package enum LibraryLogLevel: Int, Comparable, Sendable {
    case error, warning, info

    package static func < (a: LibraryLogLevel, b: LibraryLogLevel) -> Bool { a.rawValue < b.rawValue }
}

package typealias LibraryLogHandler = @Sendable (LibraryLogLevel, String) -> Void

/// FFmpeg has one log in a process, so there is one handler; the lock is what makes it safe to change.
private let logHandler = Mutex<LibraryLogHandler?>(nil)

/// Sends FFmpeg's warnings and errors to `handler`, from whatever thread speaks; nil drops them, as from the start.
package func setLibraryLogHandler(_ handler: LibraryLogHandler?) {
    logHandler.withLock { $0 = handler }
    cff_log_install()
    guard handler != nil else { return cff_log_set_handler(nil) }
    cff_log_set_handler { level, line in
        let kind: LibraryLogLevel = level <= AV_LOG_ERROR ? .error : level <= AV_LOG_WARNING ? .warning : .info
        // Called outside the lock, so that a handler may itself use FFmpeg.
        // Lines of live sources hold URLs, and these passwords.
        logHandler.withLock { $0 }?(kind, Redaction.redact(String(cString: line)))
    }
}
