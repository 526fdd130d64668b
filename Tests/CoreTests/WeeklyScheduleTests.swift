import Core
import Testing

@Suite struct WeeklyScheduleTests {
    private func moment(_ day: Int, _ hours: Int, _ minutes: Int = 0) -> LocalMoment {
        LocalMoment(weekday: day, minute: hours * 60 + minutes)
    }

    @Test func `days and times are half-open`() throws {
        let schedule = try WeeklySchedule("Mo-Fr 08:00-18:00")
        #expect(schedule.isOpen(moment(0, 8)) && schedule.isOpen(moment(4, 17, 59)))
        #expect(!schedule.isOpen(moment(0, 7, 59)) && !schedule.isOpen(moment(4, 18)))
        #expect(!schedule.isOpen(moment(5, 12)) && !schedule.isOpen(moment(6, 12)))
    }

    @Test func `a night goes on into the next day, and from Sunday into Monday`() throws {
        let schedule = try WeeklySchedule("Su 22:00-02:00")
        #expect(schedule.isOpen(moment(6, 23)) && schedule.isOpen(moment(0, 1, 59)))
        #expect(!schedule.isOpen(moment(0, 2)) && !schedule.isOpen(moment(6, 1)))
    }

    @Test func `ranges of days may run over Sunday, parts add up, and days may be left out`() throws {
        let schedule = try WeeklySchedule("Sa-Mo 10:00-11:00, 20:00-24:00")
        for day in [5, 6, 0] { #expect(schedule.isOpen(moment(day, 10, 30))) }
        #expect(!schedule.isOpen(moment(1, 10, 30)))
        for day in 0..<7 { #expect(schedule.isOpen(moment(day, 23, 59)) && !schedule.isOpen(moment(day, 0))) }
    }

    @Test func `equal ends mean the whole day`() throws {
        let schedule = try WeeklySchedule("we 00:00-00:00")
        #expect(schedule.isOpen(moment(2, 0)) && schedule.isOpen(moment(2, 23, 59)) && !schedule.isOpen(moment(3, 0)))
    }

    @Test(arguments: [
        "", "Mo", "Mo 8-18", "Xx 08:00-18:00", "Mo 08:00", "Mo 25:00-26:00", "Mo-Tu-We 08:00-09:00", "Mo 08:60-09:00",
        "Mo 24:00-08:00", "Mo  08:00-09:00 x",
    ])
    func `what is no schedule is refused with an example`(text: String) {
        #expect { _ = try WeeklySchedule(text) } throws: { "\($0)".contains("Mo-Fr 08:00-18:00") }
    }
}
