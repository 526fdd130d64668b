// One kernel call, ready to go: geometry, pointers, packed weights. Only the number of items is open.

import CKernels

enum Call {
    case convolution(ConvolutionCall)
    case scaleShift(ScaleShiftCall)
    case maximumPool(ck_pool, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)
    case averagePool(ck_pool, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)
    case binary(ck_binary, UnsafePointer<Float>, UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)
    case softmax(ck_map, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)
    case copy(ck_map, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)
    case upsample(
        ck_map, factors: (y: Int32, x: Int32), from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>)

    /// Runs over a range of rows of the output, counted through all `items` of the batch. A kernel takes any part
    /// of them, so this is where threads would divide the work.
    func run(_ kernels: ck_kernels, items: Int32, rows: Range<Int32>) {
        let (first, end) = (rows.lowerBound, rows.upperBound)
        switch self {
        case .convolution(var call):
            call.geometry.images = items
            let (source, packed, residual, target) = (call.source, call.packed, call.residual, call.target)
            switch call.kind {
            case .direct: kernels.conv.run(&call.geometry, source, packed, residual, target, first, end)
            case .depthwise: kernels.depthwise.run(&call.geometry, source, packed, residual, target, first, end)
            case .winograd(let scratch):
                kernels.winograd.run(&call.geometry, source, packed, residual, target, scratch, first, end)
            }
        case .scaleShift(var call):
            call.geometry.images = items
            kernels.scale_shift(
                &call.geometry, call.source, call.scale, call.shift, call.activation, call.target, first, end)
        case .maximumPool(var geometry, let source, let target):
            geometry.images = items
            kernels.max_pool(&geometry, source, target, first, end)
        case .averagePool(var geometry, let source, let target):
            geometry.images = items
            kernels.average_pool(&geometry, source, target, first, end)
        case .binary(var geometry, let one, let other, let target):
            geometry.images = items
            kernels.binary(&geometry, one, other, target, first, end)
        case .softmax(var geometry, let source, let target):
            geometry.images = items
            kernels.softmax(&geometry, source, target, first, end)
        case .copy(var geometry, let source, let target):
            geometry.images = items
            kernels.copy(&geometry, source, target, first, end)
        case .upsample(var geometry, let factors, let source, let target):
            geometry.images = items
            kernels.upsample(&geometry, factors.y, factors.x, source, target, first, end)
        }
    }
}

struct ConvolutionCall {
    enum Kind {
        case direct, depthwise
        case winograd(scratch: UnsafeMutablePointer<Float>)
    }

    var geometry: ck_conv
    let kind: Kind
    let source: UnsafePointer<Float>
    let packed: UnsafePointer<Float>
    let residual: UnsafePointer<Float>?
    let target: UnsafeMutablePointer<Float>
}

struct ScaleShiftCall {
    var geometry: ck_map
    let source: UnsafePointer<Float>
    let scale: UnsafePointer<Float>?
    let shift: UnsafePointer<Float>?
    let activation: ck_activation
    let target: UnsafeMutablePointer<Float>
}
