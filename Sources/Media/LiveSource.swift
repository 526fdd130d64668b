// What a live source is to FFmpeg: which formats and protocols it may use, and nothing beyond them.

import CFFmpeg
import CFFmpegShims
package import Core

package struct LiveSource: Sendable {
    package enum Transport: Sendable { case tcp, udp }

    enum Kind: Sendable {
        case rtsp, http
        /// A camera of this machine. By its stable name (/dev/v4l/by-id/…), as /dev/video0 may be another one tomorrow.
        case v4l2
    }

    package let url: StreamURL
    let kind: Kind
    private let transport: Transport

    /// - Parameter transport: Of RTSP. TCP passes firewalls and loses nothing; UDP is for networks that drop.
    package init(_ url: StreamURL, transport: Transport = .tcp) throws(MediaError) {
        self.url = url
        self.transport = transport
        switch url.scheme {
        case "rtsp", "rtsps": kind = .rtsp
        case "http", "https": kind = .http
        case "v4l2": kind = .v4l2
        default:
            throw .badSource(
                source: url.redacted,
                reason: "'\(url.scheme)' is not read; known are rtsp, rtsps, http, https and /dev paths")
        }
    }

    /// For messages.
    var name: String { url.redacted }

    /// What carries the source. A camera's answer may ask for other protocols: files above all.
    private var protocols: String {
        let isSecure = url.scheme == "rtsps" || url.scheme == "https"
        return switch kind {
        case .rtsp: (isSecure ? "rtsp,rtp,tls,tcp" : "rtsp,rtp,tcp") + (transport == .udp ? ",udp" : "")
        case .http: isSecure ? "https,tls,tcp" : "http,tcp"
        case .v4l2: "none"
        }
    }

    /// Containers that can begin anywhere. Playlists are not among them.
    private var formats: String {
        switch kind {
        case .rtsp: "rtsp"
        case .http: "mpjpeg,mjpeg,mpegts,flv,live_flv,matroska,webm,ogg,nut"
        case .v4l2: "video4linux2,v4l2"
        }
    }

    /// Nil: found out from the data.
    func inputFormat() throws(MediaError) -> UnsafePointer<AVInputFormat>? {
        switch kind {
        case .http: return nil
        case .rtsp: return av_find_input_format("rtsp")
        case .v4l2:
            guard cff_register_devices() == 0, let format = av_find_input_format("v4l2") else {
                throw .unreachable(
                    source: name,
                    reason: "cameras need FFmpeg's device library; on Debian: apt-get install libavdevice59")
            }
            return format
        }
    }

    /// The options of avformat_open_input; the caller frees them.
    func settings() -> OpaquePointer? {
        var settings: OpaquePointer?
        av_dict_set(&settings, "protocol_whitelist", protocols, 0)
        av_dict_set(&settings, "format_whitelist", formats, 0)
        // Little is looked at before the first picture: what is read for that is late already.
        av_dict_set_int(&settings, "probesize", 1_000_000, 0)
        av_dict_set_int(&settings, "analyzeduration", 1_000_000, 0)
        av_dict_set_int(&settings, "fpsprobesize", 0, 0)
        switch kind {
        case .rtsp:
            av_dict_set(&settings, "rtsp_transport", transport == .tcp ? "tcp" : "udp", 0)
            av_dict_set(&settings, "allowed_media_types", "video", 0)
            // How long a packet that UDP delivers out of order is waited for.
            av_dict_set_int(&settings, "max_delay", 200_000, 0)
        case .http:
            av_dict_set_int(&settings, "seekable", 0, 0)
        case .v4l2: break
        }
        return settings
    }
}
