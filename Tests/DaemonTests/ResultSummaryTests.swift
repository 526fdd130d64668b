// What the list shows of a result, read from files that were written here by hand.

import Foundation
import Testing
import Web

@testable import Daemon

private let run = """
    {"format": 1, "status": "partial", "program": {"version": "1", "commit": "c"},
     "input": {"name": "a.mp4", "bytes": 5, "sha256": "00", "duration": 12.5},
     "settings": {"hash": "h"}, "model": {"name": "m", "sha256": "1"}, "detector": {"name": "d", "sha256": "2"},
     "counts": {"packets": 9, "decoded": 9, "analysed": 9, "skipped": 0, "dropped": 0, "with_faces": 9, "rows": 12,
                "tracks": 2, "pts_repaired": 0, "errors": 1},
     "errors": ["packet 7 is damaged"], "timing": {"stages": {}, "wall": 1}, "host": {"cpu": "x", "kernel_level": "scalar", "threads": 1},
     "notes": []}
    """
private let emotions = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

private func table(_ rows: [(seen: String, happy: String, neutral: String)]) -> String {
    let header =
        "face_id,first,last,seen,rows," + emotions.map { "\($0)_share" }.joined(separator: ",") + ",uncertain_share"
    return
        ([header]
        + rows.enumerated().map { "\($0 + 1),0,1,\($1.seen),3,0,0,0,\($1.happy),0,0,\($1.neutral),0.1" }).joined(
            separator: "\n")
        + "\n"
}

private func written(_ body: ([UInt8], URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "summary-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(run.utf8).write(to: folder.appending(path: "run.json"))
    try body(Array(folder.path.utf8), folder)
}

@Test func `a result's numbers are its report's, its shares weighted by how long each face was seen`() throws {
    try written { path, folder in
        try Data(table([("3.0", "1.0", "0.0"), ("1.0", "0.0", "1.0")]).utf8).write(
            to: folder.appending(path: "summary.csv"))
        let summary = try #require(ResultSummaries().summary(of: path, for: .init(job: 1, ended: 5)))
        #expect(summary.frames == 9)
        #expect(summary.faces == 2)
        #expect(summary.duration == 12.5)
        #expect(summary.warnings == ["packet 7 is damaged"])
        #expect(summary.expressions["happy"] == 0.75)
        #expect(summary.expressions["neutral"] == 0.25)
    }
}

@Test func `faces of a picture, seen for no time, count alike`() throws {
    let shares = ResultSummaries.shares(table([("0.0", "1.0", "0.0"), ("0.0", "0.5", "0.5")]))
    #expect(shares["happy"] == 0.75)
}

@Test func `a result without readable files has no summary`() throws {
    try written { path, folder in
        try Data("{".utf8).write(to: folder.appending(path: "run.json"))
        #expect(ResultSummaries().summary(of: path, for: .init(job: 1, ended: nil)) == nil)
    }
    #expect(ResultSummaries().summary(of: Array("/nowhere".utf8), for: .init(job: 1, ended: nil)) == nil)
    #expect(ResultSummaries.shares("") == [:])
    #expect(ResultSummaries.shares("face_id,seen\n1,2\n") == [:])
}
