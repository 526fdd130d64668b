// From an error to a sentence on standard error and an exit code.

import ArgumentParser
import Logging
import Pipeline
import Results
import Tools

enum Failure {
    static func exits<Value>(_ logger: Logger, _ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch let error as PipelineError {
            logger.error("\(error)")
            throw ExitCode(error.exit.rawValue)
        } catch let error as ToolError {
            logger.error("\(error)")
            throw ExitCode(exit(of: error).rawValue)
        }
    }

    private static func exit(of error: ToolError) -> ExitReason {
        switch error {
        case .data, .model: .noInput
        case .damaged: .badInput
        case .usage: .usage
        }
    }
}

extension ExitReason {
    /// The table that --help prints.
    static var help: String {
        let lines = allCases.map { code in
            let number = String(code.rawValue)
            return "  " + String(repeating: " ", count: 3 - number.count) + number + "  " + code.meaning
        }
        return "EXIT STATUS\n" + lines.joined(separator: "\n")
    }
}
