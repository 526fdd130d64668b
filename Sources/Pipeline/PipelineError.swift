// What can end a run, each with the exit code's class. The sentences name the input; the rooms below know no files.

package import Results

package struct PipelineError: Error, CustomStringConvertible {
    package let exit: ExitReason
    package let description: String

    package init(_ exit: ExitReason, _ description: String) {
        self.exit = exit
        self.description = description
    }
}
