// `emotiond eval-detector` on a folder of three pictures.

import Foundation
import Testing

@Suite struct DetectorEvaluationTests {
    private static let hasCascade = FileManager.default.fileExists(
        atPath: "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml")

    /// One face in the astronaut's picture, nobody in the other.
    private func folder(face: String = "[178,62,98,122]", more: String = "") throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "labels"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Command.samples.appending(path: "astronaut.jpg"), to: folder.url.appending(path: "astronaut.jpg"))
        try (Data("P5\n64 48\n255\n".utf8) + Data(repeating: 90, count: 64 * 48))
            .write(to: folder.url.appending(path: "grey.pgm"))
        let labels = #"""
            {"file":"astronaut.jpg","faces":[{"box":\#(face),"box_from":"human"}],"complete":true,"split":"val"}
            {"file":"grey.pgm","faces":[],"complete":true,"split":"val"}

            """#
        try (labels + more).write(
            to: folder.url.appending(path: "labels/own.jsonl"), atomically: true, encoding: .utf8)
        return folder
    }

    private func arguments(_ folder: TemporaryFolder, _ more: [String] = []) -> [String] {
        ["eval-detector", "--data", folder.url.path, "--detector", "cascade"] + more
    }

    @Test(.enabled(if: hasCascade, "needs OpenCV's cascades"))
    func `the cascade finds the astronaut and nobody in the grey`() throws {
        let folder = try folder()
        let run = try Command.run(arguments(folder, ["--split", "all", "--json"]))
        #expect(run.status == 0, "\(run.errors)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["faces"] as? Int == 1 && object["recall"] as? Double == 1, "\(run.output)")
        #expect(object["precision"] as? Double == 1 && object["false_per_100"] as? Double == 0)
        #expect(object["pictures"] as? Int == 2 && object["split"] as? String == "all")
        #expect(object["landmark_error"] is NSNull)
        let table = try Command.run(arguments(folder))
        #expect(table.status == 0 && table.output.contains("recall         100.0 %"), "\(table.output)")
    }

    @Test(.enabled(if: hasCascade, "needs OpenCV's cascades"))
    func `exit codes tell what was wrong with the data`() throws {
        let damaged = try folder(more: "{\n" + #"{"file":"gone.jpg","faces":[],"complete":true,"split":"val"}"# + "\n")
        let partial = try Command.run(arguments(damaged))
        #expect(partial.status == 3 && partial.output.contains("2 left out"), "\(partial.errors)")
        #expect(partial.errors.contains("own.jsonl, line 3") && partial.errors.contains("gone.jpg"))
        let split = try Command.run(arguments(damaged, ["--split", "test"]))
        #expect(split.status == 64 && split.errors.contains("there are val, all"))
        let nowhere = try Command.run(["eval-detector", "--data", damaged.url.path + "/labels"])
        #expect(nowhere.status == 66 && nowhere.errors.contains("no folder labels"))
        try "{\n".write(
            to: damaged.url.appending(path: "labels/own.jsonl"), atomically: true, encoding: .utf8)
        #expect(try Command.run(arguments(damaged)).status == 65)
        #expect(try Command.run(arguments(damaged, ["--detect-size", "1"])).status == 64)
    }
}
