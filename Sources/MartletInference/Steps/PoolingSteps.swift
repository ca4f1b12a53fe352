import MartletKernelsBaseline
import MartletTensors

/// Maximum or average pooling, each channel of each image by itself.
struct PoolingStep: Step {
    enum Kind {
        case maximum
        case average(countsPadding: Bool)
    }

    let x: TensorView
    let y: MutableTensorView
    let window: SlidingWindow
    let kind: Kind

    func run(_ context: StepContext) {
        context.pool.forEach(x.shape[0] * x.shape[1]) { plane in
            let source = x.floats + plane * window.inputCount
            let target = y.floats + plane * window.outputCount
            switch kind {
            case .maximum: maxPool(source, window: window, into: target)
            case .average(let countsPadding):
                averagePool(source, window: window, countsPadding: countsPadding, into: target)
            }
        }
    }
}

/// Maximum pooling of 8-bit integers, which single precision holds exactly.
struct IntegerMaxPoolingStep: Step {
    let x: TensorView
    let y: MutableTensorView
    let window: SlidingWindow

    var scratchBytes: Int { (window.inputCount + window.outputCount) * MemoryLayout<Float>.stride }

    func run(_ context: StepContext) {
        func pool<Element: TensorElement & FixedWidthInteger>(_: Element.Type) {
            let (source, target) = (x.elements(of: Element.self), y.elements(of: Element.self))
            context.pool.forEach(x.shape[0] * x.shape[1]) { plane, worker in
                let input = context.floats(worker: worker)
                let output = input + window.inputCount
                for i in 0..<window.inputCount { input[i] = Float(source[plane * window.inputCount + i]) }
                maxPool(input, window: window, into: output)
                for i in 0..<window.outputCount {
                    target[plane * window.outputCount + i] = Element(truncatingIfNeeded: Int(output[i]))
                }
            }
        }
        if x.elementType == .int8 { pool(Int8.self) } else { pool(UInt8.self) }
    }
}

/// The mean or maximum over all spatial axes.
struct GlobalPoolingStep: Step {
    let x: TensorView
    let y: MutableTensorView
    let takesMaximum: Bool

    func run(_ context: StepContext) {
        let planes = y.shape.elementCount
        if planes == 0 { return }
        let size = x.shape.elementCount / planes
        context.forEachPart(of: planes, size: 64) { part in
            for plane in part {
                let source = x.floats + plane * size
                y.floats[plane] = takesMaximum ? maximum(source, count: size) : mean(source, count: size)
            }
        }
    }
}
