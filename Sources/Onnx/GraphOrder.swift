// Puts nodes into an order of evaluation and proves on the way that the graph has one: every value is made
// once, nothing is missing, nothing waits for itself.

struct GraphOrder {
    let file: String
    let nodes: [Node]
    /// Initialisers and inputs.
    let given: [String]

    func sorted(outputs: [String]) throws(OnnxError) -> [Node] {
        let maker = try makers()
        try checkNames(outputs: outputs, maker: maker)
        // Kahn's algorithm; a heap is not needed, because files are nearly always in order already and a
        // node that becomes ready is placed when it is met.
        var missing = [Int](repeating: 0, count: nodes.count)
        var readers: [[Int]] = Array(repeating: [], count: nodes.count)
        for (index, node) in nodes.enumerated() {
            for case let source? in Set(node.inputs).map({ maker[$0] ?? nil }) {
                missing[index] += 1
                readers[source].append(index)
            }
        }
        if isInOrder(maker) { return nodes }
        var ready = nodes.indices.filter { missing[$0] == 0 }
        var order: [Int] = []
        while order.count < ready.count {
            let index = ready[order.count]
            order.append(index)
            for reader in readers[index] {
                missing[reader] -= 1
                if missing[reader] == 0 { ready.append(reader) }
            }
        }
        if let stuck = missing.firstIndex(where: { $0 > 0 }) { throw .cycle(file: file, node: nodes[stuck].name) }
        return order.map { nodes[$0] }
    }

    /// Value → the node that makes it; nil for what is given.
    private func makers() throws(OnnxError) -> [String: Int?] {
        var maker: [String: Int?] = [:]
        for name in given {
            guard maker.updateValue(.none, forKey: name) == nil else { throw .definedTwice(file: file, value: name) }
        }
        for (index, node) in nodes.enumerated() {
            for name in node.outputs where !name.isEmpty {
                guard maker.updateValue(index, forKey: name) == nil else {
                    throw .definedTwice(file: file, value: name)
                }
            }
        }
        return maker
    }

    private func checkNames(outputs: [String], maker: [String: Int?]) throws(OnnxError) {
        for node in nodes {
            for name in node.inputs where !name.isEmpty && maker[name] == nil {
                throw .dangling(file: file, reader: "node \(node.name)", value: name)
            }
        }
        for name in outputs where maker[name] == nil {
            throw .dangling(file: file, reader: "the graph's output list", value: name)
        }
    }

    private func isInOrder(_ maker: [String: Int?]) -> Bool {
        for (index, node) in nodes.enumerated() {
            for case let source? in node.inputs.map({ maker[$0] ?? nil }) where source >= index { return false }
        }
        return true
    }
}
