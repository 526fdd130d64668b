// openapi.json against what is answered.

import Foundation
import Testing
import Web

@Suite struct OpenAPITests {
    private func document(_ body: @Sendable ([String: Any], Client) async throws -> Void) async throws {
        try await withClient { client async throws in
            let answer = try await client.get("/openapi.json")
            let object = try JSONSerialization.jsonObject(with: Data(answer.body))
            try await body(try #require(object as? [String: Any]), client)
        }
    }

    private func operations(_ document: [String: Any]) throws -> [String: [String: Any]] {
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var operations: [String: [String: Any]] = [:]
        for (path, item) in paths {
            for (method, value) in item where method != "parameters" {
                operations["\(method.uppercased()) \(path)"] = value as? [String: Any]
            }
        }
        return operations
    }

    @Test func `each route is described, and each description is a route`() async throws {
        try await document { document, _ async throws in
            #expect(document["openapi"] as? String == "3.1.0")
            let described = try operations(document).keys.sorted()
            #expect(described == WebServer.routes.sorted())
        }
    }

    @Test func `each reference leads somewhere and each operation has an own name`() async throws {
        try await document { document, client async throws in
            let operations = try operations(document)
            let names = operations.values.compactMap { $0["operationId"] as? String }
            #expect(names.count == operations.count && Set(names).count == names.count)
            let text = try await client.get("/openapi.json").text
            let references = text.matches(of: /"\$ref": "#\/components\/(\w+)\/(\w+)"/)
            let components = try #require(document["components"] as? [String: [String: Any]])
            #expect(references.count > 20)
            for reference in references {
                #expect(components[String(reference.1)]?[String(reference.2)] != nil, "\(reference.0)")
            }
        }
    }

    @Test func `each parameter of a path is declared`() async throws {
        try await document { document, _ async throws in
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            for (path, item) in paths where path.contains("{") {
                let declared = try #require(item["parameters"] as? [[String: Any]])
                #expect(declared.count >= path.ranges(of: "{").count, "\(path)")
            }
        }
    }

    /// The schema's required and known keys against a job with every field set.
    @Test func `a job is written as its schema says`() async throws {
        var job = JobView(id: 3, path: [0xFF], state: .done, queuedAt: 1, outcome: .partial, bytes: 5)
        job.startedAt = 2
        job.endedAt = 3
        job.notBefore = 4
        job.waitingFor = "w"
        job.progress = JobProgress(fraction: 0.5, frames: 1, framesPerSecond: 2, remaining: 3)
        job.failure = JobFailure(reason: "r", exitCode: 65, signal: 9, log: ["l"])
        job.summary = JobSummary(frames: 1, faces: 1, duration: 2, expressions: ["happy": 1])
        job.sameAs = 1
        let full = job
        try await withClient(FakeService { $0.jobs[3] = full }) { client async throws in
            let object = try JSONSerialization.jsonObject(with: Data(try await client.get("/api/v1/jobs/3").body))
            let document = try JSONSerialization.jsonObject(with: Data(try await client.get("/openapi.json").body))
            let schemas = try #require(
                ((document as? [String: Any])?["components"] as? [String: Any])?["schemas"] as? [String: Any])
            try compare(object, "Job", schemas)
        }
    }

    @Test func `a stream is written as its schema says`() async throws {
        var stream = StreamView(name: "n", url: "u", phase: .live, purpose: "p", notice: "n")
        stream.detail = "d"
        stream.lagSeconds = 1
        stream.lastFrameAt = 2
        stream.faces = [StreamFaceView(id: 1, dominant: "happy", probabilities: ["happy": 1])]
        let full = stream
        try await withClient(FakeService { $0.streams = [full] }) { client async throws in
            let answer = try JSONSerialization.jsonObject(with: Data(try await client.get("/api/v1/streams").body))
            let document = try JSONSerialization.jsonObject(with: Data(try await client.get("/openapi.json").body))
            let schemas = try #require(
                ((document as? [String: Any])?["components"] as? [String: Any])?["schemas"] as? [String: Any])
            let streams = try #require((answer as? [String: Any])?["streams"] as? [Any])
            try compare(streams[0], "Stream", schemas)
        }
    }

    private func compare(_ object: Any, _ name: String, _ schemas: [String: Any]) throws {
        let schema = try #require(schemas[name] as? [String: Any])
        let properties = try #require(schema["properties"] as? [String: [String: Any]])
        let value = try #require(object as? [String: Any])
        #expect(Set(value.keys) == Set(properties.keys), "\(name)")
        for key in try #require(schema["required"] as? [String]) { #expect(value[key] != nil, "\(name).\(key)") }
        for (key, property) in properties {
            guard let reference = property["$ref"] as? String, let inner = value[key] as? [String: Any],
                let last = reference.split(separator: "/").last
            else { continue }
            try compare(inner, String(last), schemas)
        }
    }
}
