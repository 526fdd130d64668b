// The resolved options that change the output, and the hash that stands for them.

/// What makes two results the same: the bytes of the input and the settings. Never paths, threads, CPU level or
/// program version.
package struct Identity: Hashable, Sendable, Codable {
    /// 64 hex digits.
    package let inputSHA256: String
    package let settingsHash: String

    package init(inputSHA256: String, settingsHash: String) {
        self.inputSHA256 = inputSHA256
        self.settingsHash = settingsHash
    }
}

extension RunReport {
    /// In run.json an object of the options with `hash` and `output_version` beside them.
    package struct Settings: Hashable, Sendable {
        /// Raised when the same options begin to give another output.
        package static let outputVersion: Int64 = 1

        package let options: [String: SettingValue]
        package let outputVersion: Int64
        package let hash: String

        /// - Parameters:
        ///   - options: by name as on the command line, `detect_size`; `hash` and `output_version` are taken.
        ///   - sha256: hex digits of the SHA-256 of bytes. Passed in, as the hash function lives with FFmpeg.
        package init(
            options: [String: SettingValue], modelSHA256: String, detectorSHA256: String?,
            sha256: ([UInt8]) -> String
        ) {
            precondition(
                Reserved.allCases.allSatisfy { options[$0.rawValue] == nil }, "an option has a name that run.json needs"
            )
            self.options = options
            outputVersion = Self.outputVersion
            let all: SettingValue = .object([
                "options": .object(options),
                "model": .text(modelSHA256),
                "detector": detectorSHA256.map(SettingValue.text) ?? .null,
                "output_version": .integer(Self.outputVersion),
            ])
            hash = sha256(all.canonicalJSON)
        }

        fileprivate enum Reserved: String, CaseIterable {
            case hash
            case outputVersion = "output_version"
        }
    }
}

extension RunReport.Settings: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        var members = try container.decode([String: SettingValue].self)
        guard case .text(let hash) = members.removeValue(forKey: Reserved.hash.rawValue) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "settings.hash is missing")
        }
        guard case .integer(let version) = members.removeValue(forKey: Reserved.outputVersion.rawValue) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "settings.output_version is missing")
        }
        self.hash = hash
        outputVersion = version
        options = members
    }

    package func encode(to encoder: any Encoder) throws {
        var members = options
        members[Reserved.hash.rawValue] = .text(hash)
        members[Reserved.outputVersion.rawValue] = .integer(outputVersion)
        try members.encode(to: encoder)
    }
}
