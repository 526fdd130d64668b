// How long each kernel call takes, for `emotiond bench --layers`: layer by layer, each over its whole map.

import CKernels

package struct CallTime: Sendable {
    /// `3x3/2 32->48 to 40x24`
    package let name: String
    package let seconds: Double
    /// Multiplications of the plain sum, also where fewer are made; 0 for what is no convolution.
    package let multiplications: Int
}

extension Session {
    /// Medians over `repeats` passes on whatever the maps hold.
    /// - Parameter clock: seconds from any start.
    package func callTimes(repeats: Int, clock: () -> Double) -> [CallTime] {
        let mode = ck_denormals_off()
        defer { ck_denormals_restore(mode) }
        var seconds = calls.map { _ in [Double]() }
        for _ in 0..<max(repeats, 1) {
            for (index, call) in calls.enumerated() {
                let start = clock()
                call.run(kernels, items: 1, rows: 0..<call.height)
                seconds[index].append(clock() - start)
            }
        }
        return zip(calls, seconds).map { call, seconds in
            CallTime(
                name: call.name, seconds: seconds.sorted()[seconds.count / 2], multiplications: call.multiplications)
        }
    }
}

extension Call {
    /// Rows of the output of one item.
    fileprivate var height: Int32 {
        switch self {
        case .convolution(let call): call.geometry.out_height
        case .scaleShift(let call): call.geometry.height
        case .maximumPool(let geometry, _, _), .averagePool(let geometry, _, _): geometry.out_height
        case .binary(let geometry, _, _, _): geometry.height
        case .softmax(let geometry, _, _), .copy(let geometry, _, _): geometry.height
        case .upsample(let geometry, _, _, _): geometry.height
        }
    }

    fileprivate var name: String {
        switch self {
        case .convolution(let call):
            let g = call.geometry
            let kind =
                switch call.kind {
                case .direct: ""
                case .depthwise: " depthwise"
                case .winograd: " winograd"
                }
            return "\(g.kernel_height)x\(g.kernel_width)/\(g.stride_y) \(g.in_channels)->\(g.out_channels) "
                + "to \(g.out_width)x\(g.out_height)\(kind)"
        case .scaleShift(let call): return "scale, shift, activation of \(call.geometry.channels)"
        case .maximumPool: return "maximum pool"
        case .averagePool: return "average pool"
        case .binary: return "binary"
        case .softmax: return "softmax"
        case .copy: return "copy"
        case .upsample: return "upsample"
        }
    }

    fileprivate var multiplications: Int {
        guard case .convolution(let call) = self else { return 0 }
        let g = call.geometry
        let taps = Int(g.kernel_height * g.kernel_width) * Int(g.in_channels / g.groups)
        return Int(g.out_height * g.out_width) * Int(g.out_channels) * taps
    }
}
