"""A network camera for tests: H.264 over RTSP on loopback, by Debian's gir1.2-gst-rtsp-server-1.0.

    rtsp_server.py [--size WxH] [--fps F] [--port P] [--pictures FOLDER] [--check]

Plays a test picture, or the JPEGs 0001.jpg and so on of a folder in a circle, at rtsp://127.0.0.1:PORT/stream, and prints the port on
the first line. --check only says by its exit status whether everything that is needed is installed. The process is
the camera: SIGSTOP freezes it, SIGKILL unplugs it.
"""

import argparse
import socket
import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError) as error:
    print(f"not installed: {error}", file=sys.stderr)
    sys.exit(77)


def missing(names):
    return [name for name in names if Gst.ElementFactory.find(name) is None]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pictures")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    Gst.init(None)
    lacking = missing(["videotestsrc", "multifilesrc", "jpegdec", "videoscale", "x264enc", "rtph264pay"])
    if lacking:
        print(f"GStreamer lacks {', '.join(lacking)}", file=sys.stderr)
        sys.exit(77)
    if options.check:
        sys.exit(0)

    width, height = options.size.split("x")
    source = "videotestsrc is-live=true pattern=ball"
    if options.pictures:
        source = (
            f'multifilesrc location="{options.pictures}/%04d.jpg" index=1 loop=true'
            # Files know no pace of their own.
            f" caps=image/jpeg,framerate={options.fps}/1 ! identity sync=true ! jpegdec ! videoconvert ! videoscale"
        )
    picture = (
        f"{source} ! video/x-raw,format=I420,width={width},height={height},framerate={options.fps}/1"
        f" ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={options.fps} ! rtph264pay name=pay0 pt=96"
    )
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {picture} )")
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer()
    port = options.port or free_port()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    server.get_mount_points().add_factory("/stream", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {port} is taken")
    print(port, flush=True)
    GLib.MainLoop().run()


main()
