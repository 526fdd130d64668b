import Media
import Testing

@Suite struct SHA256Tests {
    @Test func `the digests of FIPS 180-2's examples come out`() throws {
        #expect(try sha256(of: Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try sha256(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `a file's digest is that of its bytes`() throws {
        try TestMedia.withFolder { folder in
            let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let path = Array("\(folder)/x".utf8)
            #expect(TestMedia.write(bytes, to: path))
            let file = try sha256(ofFile: path)
            #expect(file.bytes == 2_500_000)
            #expect(try file.hex == sha256(of: bytes))
        }
    }

    @Test func `a missing file is no input`() {
        #expect { _ = try sha256(ofFile: Array("/no/such/file".utf8)) } throws: {
            ($0 as? MediaError)?.kind == .noInput
        }
    }
}

@Suite struct NamesTests {
    @Test func `a path for people has no control characters`() {
        #expect(displayName(ofPath: Array("a\n\u{1B}[31m".utf8)) == "a\\n\\u{1B}[31m")
        #expect(displayName(ofPath: [0x61, 0xFF]) == "a\u{FFFD}")
    }
}
