// Memory that notices kernels which touch what is not theirs.

import Glibc

/// Elements that end where an inaccessible page begins, so that reading or writing past the end stops the
/// test at once. Before the first element lie canaries, and before those another inaccessible page.
package final class Guarded<Element: BitwiseCopyable> {
    package let count: Int
    package let pointer: UnsafeMutablePointer<Element>
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let frontBytes: Int

    private static var page: Int { 4096 }
    private static var canary: UInt8 { 0xA5 }

    /// - Parameter alignment: in bytes; a power of two up to a page. What it costs at the end is filled
    ///   with canaries as well.
    package init(count: Int, filledWith value: Element, alignment: Int = MemoryLayout<Element>.alignment) {
        self.count = count
        let bytes = count * MemoryLayout<Element>.stride
        let inner = (bytes + Self.page) / Self.page * Self.page
        mappedBytes = inner + 2 * Self.page
        let address = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, address != MAP_FAILED else { preconditionFailure("no memory for a test") }
        mapping = address
        frontBytes = (inner - bytes) / alignment * alignment
        memset(mapping + Self.page, Int32(Self.canary), inner)
        pointer = (mapping + Self.page + frontBytes).bindMemory(to: Element.self, capacity: count)
        pointer.update(repeating: value, count: count)
        mprotect(mapping, Self.page, PROT_NONE)
        mprotect(mapping + Self.page + inner, Self.page, PROT_NONE)
    }

    package convenience init(_ values: [Element], alignment: Int = MemoryLayout<Element>.alignment) {
        guard let first = values.first else { preconditionFailure("a guarded buffer needs an element") }
        self.init(count: values.count, filledWith: first, alignment: alignment)
        for (i, value) in values.enumerated() { pointer[i] = value }
    }

    deinit { munmap(mapping, mappedBytes) }

    package var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// Whether the bytes before the first and behind the last element are as they were.
    package var guardsIntact: Bool {
        let inner = UnsafeRawBufferPointer(start: mapping + Self.page, count: mappedBytes - 2 * Self.page)
        let end = frontBytes + count * MemoryLayout<Element>.stride
        return inner[..<frontBytes].allSatisfy { $0 == Self.canary }
            && inner[end...].allSatisfy { $0 == Self.canary }
    }
}
