// What a supervisor adds to a run of one input.

package import Results

package struct JobHooks: Sendable {
    /// Called with the SHA-256 of the input and the hash of the settings as soon as they are known; a result of the
    /// same that it gives back ends the job.
    package var hashed: @Sendable (_ sha256: String, _ settingsHash: String) -> KnownResult? = { _, _ in nil }
    /// Asked just before the rename that publishes.
    package var mayPublish: @Sendable () -> Bool = { true }
    /// A finished result of the same identity is made anew.
    package var replacesSame = false

    package init() {}
}
