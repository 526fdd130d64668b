package enum ToolError: Error, CustomStringConvertible {
    /// The data to judge on is absent, or not what its layout promises.
    case data(String)
    /// The data is there, but nothing of it can be read.
    case damaged(String)
    /// What was asked for is not in the data.
    case usage(String)
    /// A model or detector could not be loaded.
    case model(String)

    package var description: String {
        switch self {
        case .data(let what), .damaged(let what), .usage(let what), .model(let what): what
        }
    }
}
