import Core
import Testing
import Tools

@Suite struct EvaluationTests {
    private let labels = ["a", "b", "c"]

    @Test func `figures agree with those computed by hand`() {
        let answers = [
            Probabilities([0.8, 0.1, 0.1]), Probabilities([0.3, 0.6, 0.1]), Probabilities([0.2, 0.7, 0.1]),
            Probabilities([0.1, 0.1, 0.8]),
        ]
        let e = Evaluation(labels: labels, truth: [0, 0, 1, 2], answers: answers)
        #expect(e.accuracy == 0.75)
        #expect(e.confusion == [[1, 1, 0], [0, 1, 0], [0, 0, 1]])
        // F1: a 2·1/(2+1), b 2·1/(1+2), c 1.
        #expect(abs(e.macroF1 - (2.0 / 3 + 2.0 / 3 + 1) / 3) < 1e-9)
        // Bins of a fifteenth: 0.6 (wrong), 0.7 (right), 0.8 (two right).
        #expect(abs(e.calibrationError - (0.6 + 0.3 + 0.4) / 4) < 1e-6)
    }

    @Test func `a class nobody has and nobody names counts as zero`() {
        let e = Evaluation(
            labels: labels, truth: [0, 1], answers: [Probabilities([1, 0, 0]), Probabilities([0, 1, 0])])
        #expect(e.accuracy == 1)
        #expect(e.classes[2].f1 == 0)
    }

    @Test func `json holds the promised keys`() throws {
        let json = try Evaluation(labels: labels, truth: [0], answers: [Probabilities([1, 0, 0])]).json()
        for key in ["n", "accuracy", "macro_f1", "ece", "per_class", "confusion"] {
            #expect(json.contains("\"\(key)\":"))
        }
    }
}
