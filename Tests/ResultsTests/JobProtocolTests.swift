// Lines of the job protocol: they come back as they went, and nothing that the other side sends is more than an error.

import Foundation
import Results
import Testing

@Suite struct JobProtocolTests {
    private static let oddName = Array("ü/".utf8) + [0xFF, 0x0A, 0x22]

    private static func description() -> JobDescription {
        var input = InputWork(
            path: Array("/in/".utf8) + oddName, outputRoot: Array("/out".utf8), relative: oddName,
            workFolder: Array("/jobs/7".utf8))
        input.checkpointSeconds = 2.5
        input.replacesResult = true
        var options = JobOptions()
        options.from = 1_500_000
        options.to = 9_000_000
        options.every = 2
        options.framesPerSecond = 12.5
        options.detector = "yunet"
        options.detectorModel = [0x61, 0xFE]
        options.detectSize = 320
        options.detectEvery = "5"
        options.minimumScore = 0.75
        options.model = Array("/m.onnx".utf8)
        options.engine = "opencv"
        options.cpuLevel = "avx2"
        options.video = .blurred
        options.writesVideo = false
        options.frames = "every:3"
        options.notice = "filmed \"here\"\nsince May"
        options.overwrite = true
        options.decoderThreads = 1
        options.maximumPixels = 1000
        options.maximumSeconds = 60
        options.maximumStreams = 3
        return JobDescription(
            work: .input(input), options: options,
            limits: JobLimits(memoryBytes: 1 << 31, cpuSeconds: 600, oomScore: 500))
    }

    static let orders: [JobOrder] = [
        JobOrder(job: 7, attempt: 2, .run(description())),
        JobOrder(
            job: .max, attempt: 1,
            .run(JobDescription(work: .input(InputWork(path: [1], outputRoot: [], relative: [0x80]))))),
        JobOrder(job: 7, attempt: 2, .cancel),
        JobOrder(job: 0, attempt: 0, .stop),
    ]

    @Test(arguments: orders)
    func `an order comes back as it went, on one line`(order: JobOrder) throws {
        let line = try order.encodedLine()
        #expect(line.last == 0x0A && line.dropLast().allSatisfy { $0 != 0x0A })
        #expect(try JobOrder(line: line.dropLast()) == order)
    }

    static let events: [JobEvent] = [
        .ready(WorkerIdentity(pid: 12, version: "0.1", commit: "abc")), .started, .alive,
        .hashed(sha256: hex("a"), settingsHash: hex("b")),
        .progress(JobProgress(share: 0.5, frames: 12, positionSeconds: 3.25)),
        .progress(JobProgress(share: nil, frames: 0)),
        .checkpoint(JobCheckpoint(frames: 300, positionSeconds: 10, resumed: true)),
        .stream(.event(StreamEvent(utc: 1, timestamp: nil, kind: .connected, detail: "over TCP"))),
        .stream(.stats(StreamStats())),
        .published(result(.partial, .partial)), .skipped(result(.complete, .done)),
        .failed(JobFailure(exit: .ioError, reason: "no room for 'ü'", isDiskFull: true)),
    ]

    private static func result(_ status: RunReport.Status, _ exit: ExitReason) -> JobResult {
        var result = JobResult(status: status, path: Array("/out/".utf8) + oddName, exit: exit)
        result.frames = 250
        result.faces = 3
        result.seconds = 1.5
        return result
    }

    @Test(arguments: events)
    func `a report comes back as it went, on one line`(event: JobEvent) throws {
        let report = JobReport(job: 9, attempt: 3, event)
        let line = try report.encodedLine()
        #expect(line.last == 0x0A && line.dropLast().allSatisfy { $0 != 0x0A })
        #expect(try JobReport(line: line.dropLast()) == report)
    }

    @Test func `numbers that JSON does not know are left out`() throws {
        let report = JobReport(
            job: 1, attempt: 1, .progress(JobProgress(share: .nan, frames: 2, positionSeconds: .infinity)))
        let back = try JobReport(line: report.encodedLine())
        #expect(back.event == .progress(JobProgress(share: nil, frames: 2)))
    }

    @Test func `what a newer version adds is ignored`() throws {
        let order = try JobOrder(
            line: Array(
                """
                {"order":"run","job":3,"attempt":1,"colour":"red","description":{"input":{"path":"/a","output_root":"/o",\
                "relative":"a","mood":1},"options":{"every":3,"later":true},"limits":{"nice":5}}}
                """.utf8))
        var options = JobOptions()
        options.every = 3
        let input = InputWork(path: Array("/a".utf8), outputRoot: Array("/o".utf8), relative: Array("a".utf8))
        #expect(order == JobOrder(job: 3, attempt: 1, .run(JobDescription(work: .input(input), options: options))))
        let report = try JobReport(line: Array(#"{"event":"sang","job":3,"attempt":1,"sang":{"song":"x"}}"#.utf8))
        #expect(report.event == .other("sang"))
    }

    @Test(arguments: [
        "", "[]", "null", "{", #"{"order":"run"}"#, #"{"order":"fly","job":1}"#, #"{"order":"run","job":"one"}"#,
        #"{"order":"run","job":1,"description":{}}"#, "\u{0}",
        #"{"order":"run","job":1,"description":{"input":{"path":"a","path_base64":"%","output_root":"o","relative":"a"}}}"#,
    ])
    func `a line that is no order is an error with its reason`(text: String) {
        #expect(throws: JobProtocolError.self) { try JobOrder(line: Array(text.utf8)) }
    }

    @Test(arguments: [
        "", "hello", #"{"event":"published","job":1}"#, #"{"event":"failed","job":1,"failed":{"exit":1}}"#,
    ])
    func `a line that is no report is an error with its reason`(text: String) {
        #expect(throws: JobProtocolError.self) { try JobReport(line: Array(text.utf8)) }
    }

    @Test func `an order that would not fit a line is not sent`() {
        let path = [UInt8](repeating: 0xFF, count: 1 << 20)
        let order = JobOrder(
            job: 1, attempt: 1, .run(JobDescription(work: .input(InputWork(path: path, outputRoot: [], relative: [])))))
        #expect(throws: JobProtocolError.tooLong(limit: 1 << 20)) { try order.encodedLine() }
    }
}

@Suite struct LineSplitterTests {
    @Test func `lines come whole however the stream is cut`() throws {
        let text = Array("one\n\ntwo words\nlast".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter()
            var lines: [[UInt8]] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += try splitter.feed(text[start..<min(start + size, text.count)])
            }
            #expect(lines == ["one", "", "two words"].map { Array($0.utf8) }, "pieces of \(size)")
            #expect(splitter.finish() == Array("last".utf8))
            #expect(splitter.finish() == nil)
        }
    }

    @Test func `a line beyond the limit is refused, ended or not`() throws {
        var splitter = LineSplitter(limit: 4)
        #expect(try splitter.feed(Array("1234\n".utf8)) == [Array("1234".utf8)])
        #expect(throws: JobProtocolError.tooLong(limit: 4)) { try splitter.feed(Array("12345\n".utf8)) }
        var other = LineSplitter(limit: 4)
        #expect(try other.feed(Array("12".utf8)).isEmpty)
        #expect(throws: JobProtocolError.tooLong(limit: 4)) { try other.feed(Array("345".utf8)) }
    }
}
