// The page's files, which are compiled into the binary: it has to work without any folder beside it.

internal import HTTPTypes
internal import Hummingbird

struct Asset: Sendable {
    let bytes: [UInt8]
    let type: String

    static let page = Asset(bytes: PackageResources.index_html, type: "text/html; charset=utf-8")
    static let signIn = Asset(bytes: PackageResources.signin_html, type: "text/html; charset=utf-8")
    static let openAPI = Asset(bytes: PackageResources.openapi_json, type: "application/json")

    /// What stands below `/assets/`.
    static let files: [String: Asset] = [
        "app.css": Asset(bytes: PackageResources.app_css, type: "text/css; charset=utf-8"),
        "icon.svg": Asset(bytes: PackageResources.icon_svg, type: "image/svg+xml"),
        "app.js": script(PackageResources.app_js),
        "chart.js": script(PackageResources.chart_js),
        "dom.js": script(PackageResources.dom_js),
        "jobs.js": script(PackageResources.jobs_js),
        "result.js": script(PackageResources.result_js),
        "streams.js": script(PackageResources.streams_js),
        "timeline.js": script(PackageResources.timeline_js),
    ]

    private static func script(_ bytes: [UInt8]) -> Asset {
        Asset(bytes: bytes, type: "text/javascript; charset=utf-8")
    }

    func response(status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
