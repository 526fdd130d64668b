// What can end a run, each with the exit code's class. The sentences name the input; the rooms below know no files.

package import Results

package struct PipelineError: Error, CustomStringConvertible {
    package let exit: ExitReason
    package let description: String
    /// Nothing is wrong with the input or the program then: it works again once there is room.
    package let isDiskFull: Bool

    package init(_ exit: ExitReason, _ description: String, isDiskFull: Bool = false) {
        self.exit = exit
        self.description = description
        self.isDiskFull = isDiskFull
    }
}
