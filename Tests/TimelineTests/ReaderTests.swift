import Core
import Foundation
import Testing
import Timeline

private let python = "/usr/bin/python3"

/// Other people's readers, and other people's machines.
@Suite(.serialized) struct ReaderTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "needs \(python)"))
    func `Python's csv module reads back what was written`() throws {
        let script = """
            import csv, json, sys
            rows = list(csv.reader(sys.stdin, strict=True))
            assert len({len(row) for row in rows}) == 1
            json.dump([rows[0][18:], rows[1][15], rows[1][1], rows[2][17]], sys.stdout)
            """
        let labels = sevenLabels + ["a,\"b\"\nc", "é"]
        let odd: [Float] = [0, 0, 0, 0, 0, 0, 0, 1, 0]
        let text = timeline(format(labels), [frame(0, at: 1_500_000, face(1, odd)), frame(1, at: 2_000_000)])

        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let answer = try JSONSerialization.jsonObject(with: output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let expected: [Any] = [["a,\"b\"\nc", "é"], "a,\"b\"\nc", "1.500000", "no_face"]
        #expect(answer as? NSArray == expected as NSArray)
    }

    private static let comma = ["de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"]

    /// The locale is the process's, so it is put back at once; no other test here asks it.
    private static func withCommaLocale(_ body: () -> Void) -> Bool {
        guard let before = setlocale(LC_ALL, nil).map({ String(cString: $0) }) else { return false }
        guard comma.contains(where: { setlocale(LC_ALL, $0) != nil }) else { return false }
        body()
        setlocale(LC_ALL, before)
        return true
    }

    @Test(.enabled(if: ReaderTests.withCommaLocale({}), "needs a locale with a decimal comma, such as de_DE.UTF-8"))
    func `the decimal point is a point in every locale`() {
        var text = ""
        _ = Self.withCommaLocale {
            text = timeline(format(), [frame(0, at: 1_500_000, face(1, [0.5, 0.5, 0, 0, 0, 0, 0]))])
        }
        #expect(text.contains("\n0,1.500000,1,0.9000,10.0,"))
    }
}
