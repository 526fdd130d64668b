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

    /// Runs over `items` items of the batch. The rows are one range here; a kernel takes any part of them, so
    /// this is where threads would divide the work.
    func run(_ kernels: ck_kernels, items: Int32) {
        switch self {
        case .convolution(var call):
            call.geometry.images = items
            let kernel = call.isDepthwise ? kernels.depthwise : kernels.conv
            kernel.run(
                &call.geometry, call.source, call.packed, call.residual, call.target, 0,
                items * call.geometry.out_height)
        case .scaleShift(var call):
            call.geometry.images = items
            kernels.scale_shift(
                &call.geometry, call.source, call.scale, call.shift, call.activation, call.target, 0,
                items * call.geometry.height)
        case .maximumPool(var geometry, let source, let target):
            geometry.images = items
            kernels.max_pool(&geometry, source, target, 0, items * geometry.out_height)
        case .averagePool(var geometry, let source, let target):
            geometry.images = items
            kernels.average_pool(&geometry, source, target, 0, items * geometry.out_height)
        case .binary(var geometry, let first, let second, let target):
            geometry.images = items
            kernels.binary(&geometry, first, second, target, 0, items * geometry.height)
        case .softmax(var geometry, let source, let target):
            geometry.images = items
            kernels.softmax(&geometry, source, target, 0, items * geometry.height)
        case .copy(var geometry, let source, let target):
            geometry.images = items
            kernels.copy(&geometry, source, target, 0, items * geometry.height)
        }
    }
}

struct ConvolutionCall {
    var geometry: ck_conv
    let isDepthwise: Bool
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
