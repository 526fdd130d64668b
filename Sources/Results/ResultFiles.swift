// Where the files of a growing result are made: in the hidden folder that is published, or, for a run that may be
// interrupted, in a folder that outlives the process.

package protocol ResultFiles: AnyObject, Sendable {
    /// For writers that take a path, such as FFmpeg's muxer.
    func path(of file: String) -> [UInt8]
    func createFile(_ file: String) throws(ResultsError) -> FileSink
    func write(_ file: String, _ bytes: [UInt8]) throws(ResultsError)
    func makeFolder(_ name: String) throws(ResultsError)
}

extension Staging: ResultFiles {}
