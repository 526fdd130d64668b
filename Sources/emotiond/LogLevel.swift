// Log lines go to standard error; which ones is the command's decision.

import ArgumentParser
import Logging

enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error

    func logger() -> Logger {
        var logger = Logger(label: "emotiond") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: rawValue) ?? .notice
        return logger
    }
}
