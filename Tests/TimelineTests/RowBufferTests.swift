import Foundation
import Testing
import Timeline

@Suite struct RowBufferTests {
    private func cell(_ write: (inout RowBuffer) -> Void) -> String {
        var buffer = RowBuffer()
        write(&buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    private func fixed(_ value: Float, _ digits: Int) -> String { cell { $0.fixed(value, digits: digits) } }

    @Test(arguments: [0, 1, 4, 6]) func `a float prints as printf prints it, at every magnitude`(digits: Int) {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let value = Float.random(in: -1...1, using: &random) * pow(10, Float.random(in: -8...8, using: &random))
            var expected = String(format: "%.\(digits)f", Double(value))
            if expected.allSatisfy({ "-0.".contains($0) }) { expected.removeAll { $0 == "-" } }
            #expect(fixed(value, digits) == expected, "\(value.bitPattern)")
        }
    }

    @Test func `ties go to the even digit, as their true value says`() {
        #expect(fixed(0.25, 1) == "0.2")
        #expect(fixed(0.75, 1) == "0.8")
        #expect(fixed(-0.25, 1) == "-0.2")
        #expect(fixed(0.03125, 4) == "0.0312")
        #expect(fixed(0.09375, 4) == "0.0938")
        // 0.00005 is no tie as a float: it lies a little above or below, and goes there.
        #expect(fixed(0.00005, 4) == String(format: "%.4f", Double(Float(0.00005))))
    }

    @Test func `zero has no sign, however it was reached`() {
        #expect(fixed(-0.0, 1) == "0.0")
        #expect(fixed(-0.04, 1) == "0.0")
        #expect(fixed(-0.00001, 4) == "0.0000")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 3e38, -3e38])
    func `what is no number of sane size makes an empty cell`(value: Float) {
        #expect(fixed(value, 4) == "")
    }

    @Test func `large and small numbers have no exponent`() {
        #expect(fixed(1e10, 1) == "10000000000.0")
        #expect(fixed(1e-10, 4) == "0.0000")
        #expect(cell { $0.integer(.max) } == "9223372036854775807")
        #expect(cell { $0.seconds(microseconds: .min) } == "-9223372036854.775808")
        #expect(cell { $0.seconds(microseconds: .max) } == "9223372036854.775807")
        #expect(cell { $0.seconds(microseconds: -1) } == "-0.000001")
    }

    @Test func `commas stand between the cells of a row and nowhere else`() {
        var buffer = RowBuffer()
        buffer.empty()
        buffer.integer(1)
        buffer.empty(2)
        buffer.endRow()
        buffer.integer(2)
        buffer.endRow()
        #expect(buffer.bytes == Array(",1,,\n2\n".utf8))
        buffer.removeAll()
        buffer.integer(3)
        #expect(buffer.bytes == Array("3".utf8))
    }

    @Test func `texts are quoted as RFC 4180 says`() {
        let quoted = { (text: String) in String(decoding: RowBuffer.quoted(text), as: UTF8.self) }
        #expect(quoted("happy") == "happy")
        #expect(quoted("né, or \"so\"") == "\"né, or \"\"so\"\"\"")
        #expect(quoted("a\nb") == "\"a\nb\"")
        #expect(quoted("a\r\nb") == "\"a\r\nb\"")
    }

    @Test func `the wall clock is RFC 3339, as Foundation's calendar says`() {
        var random = SeededGenerator(seed: 5)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss"
        for _ in 0..<2_000 {
            // From 1601, where nobody argues about the calendar any more, to 9999.
            let seconds = Int64.random(in: -11_644_473_600...253_402_300_799, using: &random)
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(cell { $0.utc(microsecondsSince1970: seconds * 1_000_000 + 7) } == expected + ".000007Z")
        }
    }

    @Test func `the wall clock knows leap days and its own limits`() {
        let utc = { (time: Int64?) in cell { $0.utc(microsecondsSince1970: time) } }
        #expect(utc(0) == "1970-01-01T00:00:00.000000Z")
        #expect(utc(-1) == "1969-12-31T23:59:59.999999Z")
        #expect(utc(951_782_400_000_000) == "2000-02-29T00:00:00.000000Z")
        #expect(utc(4_107_542_400_000_000) == "2100-03-01T00:00:00.000000Z")
        #expect(utc(253_402_300_799_999_999) == "9999-12-31T23:59:59.999999Z")
        #expect(utc(253_402_300_800_000_000) == "")
        #expect(utc(-62_167_219_200_000_000) == "0000-01-01T00:00:00.000000Z")
        #expect(utc(-62_167_219_200_000_001) == "")
        #expect(utc(.min) == "")
        #expect(utc(.max) == "")
        #expect(utc(nil) == "")
    }
}
