import ArgumentParser
import Tools

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Explain the installation: libraries, models, CPU levels, codecs, and what is missing.")

    func run() throws {
        let doctor = Doctor(search: Environment.modelSearch)
        print(doctor.report)
        if !doctor.isHealthy { throw ExitCode(78) }
    }
}
