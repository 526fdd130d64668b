import Results
import Testing

@Suite struct ExitReasonTests {
    @Test(
        arguments: [
            ([], ExitReason.done),
            ([.done], .done),
            ([.done, .done], .done),
            ([.partial], .partial),
            ([.done, .partial, .done], .partial),
            ([.partial, .partial], .partial),
            ([.badInput], .badInput),
            ([.noInput, .noInput], .noInput),
            ([.noInput, .badInput], .mixed),
            ([.done, .noInput], .mixed),
            ([.partial, .noInput], .mixed),
            ([.cannotCreate, .cannotCreate, .done], .mixed),
            ([.done, .interrupted], .interrupted),
            ([.noInput, .badInput, .interrupted], .interrupted),
        ] as [([ExitReason], ExitReason)])
    func `several inputs give one code`(codes: [ExitReason], expected: ExitReason) {
        #expect(ExitReason.combined(codes) == expected)
        #expect(ExitReason.combined(codes.reversed()) == expected, "whatever their order")
    }

    @Test(arguments: ExitReason.allCases) func `one input alone gives its own code`(code: ExitReason) {
        #expect(ExitReason.combined([code]) == code)
        #expect(!code.meaning.isEmpty)
    }

    @Test func `the numbers are those that scripts know`() {
        #expect(ExitReason.allCases.map(\.rawValue) == [0, 2, 3, 64, 65, 66, 69, 70, 73, 74, 75, 78, 130])
    }
}
