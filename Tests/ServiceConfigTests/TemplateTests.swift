// systemd/emotiond.yaml is what operators read: it must be whole and true.

import Foundation
import ServiceConfig
import Testing

@Test func `the installed file holds the defaults`() throws {
    let loaded = try LoadedConfiguration.load(file: Template.path, environment: [:])
    #expect(loaded.configuration == ServiceConfiguration())
}

@Test func `every key stands in the installed file, examples included`() throws {
    let lines = try Template.withExamples().split(separator: "\n").map { $0.drop { " -".contains($0) } }
    for key in ServiceConfiguration.allKeys.map(\.path) {
        let word = try #require(key.split(separator: ".").last)
        #expect(lines.contains { $0.hasPrefix("\(word):") }, "\(key) is not in systemd/emotiond.yaml")
    }
}

@Test func `every single value of the installed file is set there and not by default`() throws {
    let loaded = try LoadedConfiguration.load(file: Template.path, environment: [:])
    let missing = loaded.explain().filter { $0.origin == .standard }
    #expect(missing.map(\.key) == [])
}

@Test func `the examples of the installed file are good`() throws {
    let configuration = try parsed(Template.withExamples().replacing("    url_file: none", with: "")).configuration
    #expect(configuration.streams.map(\.name) == ["entrance"])
    #expect(configuration.streams.first?.region?.width == 0.5)
    #expect(configuration.hooks.first?.on == [.done, .failed, .cancelled, .stream])
    #expect(configuration.watch.priorities.map(\.priority) == [10, -10])
}

@Test(arguments: ["", "# nothing\n", "watch:\nstreams:\nhooks:\n", "{}"])
func `a file without values gives the defaults`(yaml: String) throws {
    #expect(try parsed(yaml).configuration == ServiceConfiguration())
}

@Test func `a folder given as root has all its places below it`() throws {
    let state = ServiceConfiguration.defaults(root: "/srv/e").state
    #expect(state.incomingFolder == "/srv/e/incoming" && state.controlSocket == "/srv/e/emotiond.sock")
    #expect(try parsed("", root: "/srv/e").configuration == .defaults(root: "/srv/e"))
    #expect(try parsed("state: {folder: /x}", root: "/srv/e").configuration.state.folder == "/x")
    #expect(state.resolved("/run/e.sock") == "/run/e.sock")
}
