package enum ToolError: Error, CustomStringConvertible {
    /// The data to judge on is absent, or not what its layout promises.
    case data(String)
    /// A model or detector could not be loaded.
    case model(String)

    package var description: String {
        switch self {
        case .data(let what), .model(let what): what
        }
    }
}
