// What a supervisor adds to a run of one input.

package struct JobHooks: Sendable {
    /// Called with the input's SHA-256 as soon as that is known.
    package var hashed: @Sendable (String) -> Void = { _ in }
    /// Asked just before the rename that publishes.
    package var mayPublish: @Sendable () -> Bool = { true }
    /// A finished result of the same identity is made anew.
    package var replacesSame = false

    package init() {}
}
