"""A camera of the cheap kind for tests: motion JPEG over HTTP on loopback.

    mjpeg_server.py FOLDER [--fps F] [--frames N] [--user NAME:PASSWORD] [--port P]

Sends the JPEGs of FOLDER in a circle, each as one part of a multipart answer, and prints its port on the first line.
--frames ends every connection after N pictures. The process is the camera: SIGSTOP freezes it, SIGKILL unplugs it.
"""

import argparse
import base64
import http.server
import pathlib
import sys
import time


def handler(pictures, options):
    class Camera(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def is_let_in(self):
            if options.user is None:
                return True
            expected = "Basic " + base64.b64encode(options.user.encode()).decode()
            return self.headers.get("Authorization") == expected

        def do_GET(self):
            if not self.is_let_in():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            sent = 0
            due = time.monotonic()
            try:
                while options.frames is None or sent < options.frames:
                    picture = pictures[sent % len(pictures)]
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    self.wfile.write(head.encode() + picture + b"\r\n")
                    self.wfile.flush()
                    sent += 1
                    due = max(due + 1 / options.fps, time.monotonic() - 1)
                    time.sleep(max(due - time.monotonic(), 0))
            except (BrokenPipeError, ConnectionResetError):
                pass

    return Camera


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--user")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    pictures = [path.read_bytes() for path in sorted(options.folder.glob("*.jpg"))]
    http.server.ThreadingHTTPServer.daemon_threads = True
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler(pictures, options))
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


main()
